"""What can be protected stands in `full` alone, flagged or not."""

import json

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from ecm.api.common.v1.values_pb2 import (
    Category,
    Date,
    Document,
    FreeText,
    PartialDate,
    PartialPeriod,
    ProtectedDeclaration,
    ProtectedKind,
)
from ecm.api.consent.v1.consent_records_pb2 import Consent, ConsentState
from ecm.api.formulation.v1 import formulation_records_pb2 as formulation
from ecm.api.referrals.v1 import referrals_records_pb2 as referrals
from ecm.exchange.mapping import MappedResource, View, map_record
from ecm.exchange.mapping.codes import NHS_NUMBER
from ecm.exchange.mapping.ids import fhir_id, owning_record, record_ids
from unit.exchange.mapping.invented import CHILD_ID, CONTEXT, RECORD_ID, version

FREE = ProtectedDeclaration()
SCHOOL = ProtectedDeclaration(holds=[ProtectedKind.PROTECTED_KIND_SCHOOL])
PDF = Document(content_type="application/pdf", content=b"%PDF-invented", title="Invented", declaration=FREE)
CHILD = referrals.Child(
    given_names=["Quillon"],
    family_name="Zephyrson",
    preferred_name="Quill",
    date_of_birth=Date(year=2012, month=6, day=15),
    nhs_number="9990000018",
    local_case_number="EV-0001",
    ethnic_category="A",
    gender=referrals.GENDER_MALE,
    address=referrals.Address(lines=["4 Invented Terrace"], town="Nowhereton", postcode="ZZ99 3WZ"),
    contacts=[referrals.Contact(kind=referrals.CONTACT_KIND_PHONE, value="07000 000000")],
    placement=referrals.Placement(kind=referrals.PLACEMENT_KIND_FOSTER_CARE, name="The Inventeds"),
    school=referrals.School(name="Invented High"),
    adoption_identity=referrals.AdoptionIdentity(given_names=["Oldname"], family_name="Oldfamily"),
)
PROTECTED = (
    "Invented Terrace",
    "Nowhereton",
    "ZZ99",
    "07000",
    "foster",
    "Inventeds",
    "Invented High",
    "Oldname",
    "Oldfamily",
)


def mapped(kind: str, content: Message, resource_type: str, **changes: object) -> MappedResource:
    found = [one for one in map_record(version(kind, content, **changes), CONTEXT) if one.type == resource_type]
    assert len(found) == 1
    return found[0]


def text(found: MappedResource, view: View) -> str:
    return json.dumps(found.renditions.get(view, {}), ensure_ascii=False)


def test_a_patient_has_all_in_full() -> None:
    full = text(mapped("CHILD", CHILD, "Patient"), View.FULL)
    assert [word for word in PROTECTED if word not in full] == []


def test_a_patient_has_nothing_that_can_be_protected_elsewhere() -> None:
    found = mapped("CHILD", CHILD, "Patient")
    for view in (View.UNPROTECTED, View.MINIMUM):
        assert [word for word in PROTECTED if word in text(found, view)] == []


def test_a_change_of_address_is_no_change_of_the_other_views() -> None:
    moved = referrals.Child()
    moved.CopyFrom(CHILD)
    moved.address.postcode = "ZZ99 9ZZ"
    before, after = (mapped("CHILD", child, "Patient").renditions for child in (CHILD, moved))
    assert before[View.FULL] != after[View.FULL]
    assert before[View.UNPROTECTED] == after[View.UNPROTECTED]
    assert before[View.MINIMUM] == after[View.MINIMUM]


def test_the_minimum_is_name_birth_date_and_identifiers() -> None:
    minimum = mapped("CHILD", CHILD, "Patient").renditions[View.MINIMUM]
    assert set(minimum) == {"resourceType", "id", "meta", "identifier", "name", "birthDate"}
    assert minimum["identifier"] == [
        {"system": NHS_NUMBER, "value": "9990000018"},
        {"system": "https://region.example.invalid/id/case-number/eastvale", "value": "EV-0001"},
    ]
    assert minimum["name"] == [{"family": "Zephyrson", "given": ["Quillon"], "use": "official"}]


def test_a_free_text_is_shown_elsewhere_only_where_declared_free() -> None:
    for declaration, shown in ((FREE, True), (SCHOOL, False), (None, False)):
        form = referrals.ReferralForm(reason=FreeText(text="Told in confidence", declaration=declaration))
        found = mapped("REFERRAL_FORM", form, "QuestionnaireResponse")
        assert "confidence" in text(found, View.FULL)
        assert ("confidence" in text(found, View.UNPROTECTED)) is shown


def test_a_document_is_withheld_whole_unless_declared_free() -> None:
    undeclared = Document(content_type="application/pdf", content=b"%PDF-invented")
    for document, views in ((PDF, {View.FULL, View.UNPROTECTED}), (undeclared, {View.FULL})):
        found = mapped("ASSESSMENT", referrals.Assessment(document=document), "DocumentReference")
        assert set(found.renditions) == views


def test_assetplus_needs_every_category_that_it_may_speak_of() -> None:
    found = mapped("ASSESSMENT", referrals.Assessment(document=PDF), "DocumentReference")
    assert set(found.categories) == {
        "referral", "health", "social-care", "education", "offending", "family", "family-sensitive"
    }  # fmt: skip


def test_a_carers_name_tells_the_placement() -> None:
    carer = referrals.FamilyMember(given_names=["Fosterina"], relationship=referrals.RELATIONSHIP_CARER)
    assert set(mapped("FAMILY_MEMBER", carer, "RelatedPerson").renditions) == {View.FULL}


def test_a_relatives_household_stands_in_full_alone() -> None:
    mother = referrals.FamilyMember(
        given_names=["Motherina"],
        relationship=referrals.RELATIONSHIP_MOTHER,
        lives_with_child=True,
        address=CHILD.address,
        contacts=CHILD.contacts,
    )
    found = mapped("FAMILY_MEMBER", mother, "RelatedPerson")
    assert "Nowhereton" in text(found, View.FULL)
    assert not any(word in text(found, View.UNPROTECTED) for word in ("Nowhereton", "07000", "lives-with"))


def test_a_birth_parents_name_tells_who_an_adopted_child_was() -> None:
    mother = referrals.FamilyMember(
        given_names=["Motherina"], family_name="Birthname", relationship=referrals.RELATIONSHIP_MOTHER
    )
    found = mapped("FAMILY_MEMBER", mother, "RelatedPerson")
    assert "Birthname" in text(found, View.FULL)
    assert found.renditions[View.UNPROTECTED]["relationship"]
    assert not any(word in text(found, View.UNPROTECTED) for word in ("Motherina", "Birthname"))


def test_a_contribution_is_its_agencys_own_and_family_sensitive_unless_declared() -> None:
    told = formulation.Contribution(agency="la-eastvale", document=PDF)
    assert mapped("CONTRIBUTION", told, "DocumentReference").categories == ("social-care", "family-sensitive")
    told.categories.append(Category.CATEGORY_EDUCATION)
    assert mapped("CONTRIBUTION", told, "DocumentReference").categories == ("education",)
    assert mapped("CONTRIBUTION", told, "Provenance").categories == ("education",)


def test_consent_is_seen_by_the_agency_that_it_names_while_given() -> None:
    given = Consent(state=ConsentState.CONSENT_STATE_GIVEN, recipients=["nhs-psychology"])
    assert mapped("CONSENT", given, "Consent").only_for == "nhs-psychology"
    for state in ConsentState.values():
        if state != ConsentState.CONSENT_STATE_GIVEN:
            assert map_record(version("CONSENT", Consent(state=state, recipients=["nhs-psychology"])), CONTEXT) == []


def test_an_invitation_opens_the_appointment_and_nothing_of_what_was_said() -> None:
    meeting = formulation.Meeting(
        state=formulation.MEETING_STATE_HELD,
        location="Invented High",
        purpose="Told to the invited",
        attendance=[formulation.Attendance(name="Teacherina", agency="Invented High")],
        notes=[formulation.MeetingNote(text=FreeText(text="What was said"))],
    )
    found = {one.type: one for one in map_record(version("MEETING", meeting), CONTEXT)}
    assert found["Appointment"].record_id == RECORD_ID
    assert found["Appointment"].categories == ("invitation",)
    assert found["Encounter"].record_id == found["ClinicalImpression"].record_id != RECORD_ID
    assert "What was said" not in text(found["Appointment"], View.FULL)
    for one in found.values():
        for view in (View.UNPROTECTED, View.MINIMUM):
            assert not any(word in text(one, view) for word in ("Invented High", "Teacherina", "What was said"))


def test_the_child_stands_in_the_appointments_supporting_information() -> None:
    found = mapped("MEETING", formulation.Meeting(state=formulation.MEETING_STATE_SCHEDULED), "Appointment")
    child = {"reference": f"Patient/{mapped('CHILD', CHILD, 'Patient').id}"}
    assert found.renditions[View.MINIMUM]["supportingInformation"] == [child]
    assert child not in [one.get("actor") for one in found.renditions[View.FULL]["participant"]]


def test_dont_know_is_neither_no_nor_unanswered() -> None:
    aces = referrals.AdverseChildhoodExperiences(
        verbal_abuse=referrals.YES_NO_DONT_KNOW_DONT_KNOW, neglect=referrals.YES_NO_DONT_KNOW_NO
    )
    found = map_record(version("REFERRAL_FORM", referrals.ReferralForm(aces=aces)), CONTEXT)
    answers = {
        one.renditions[View.FULL]["code"]["coding"][0]["code"]: one.renditions[View.FULL]
        for one in found
        if one.type == "Observation"
    }
    assert set(answers) == {"verbal-abuse", "neglect"}
    assert answers["verbal-abuse"]["dataAbsentReason"]["coding"][0]["code"] == "asked-unknown"
    assert "valueCodeableConcept" not in answers["verbal-abuse"]
    assert answers["neglect"]["valueCodeableConcept"]["coding"][0]["code"] == "no"


def test_a_date_is_as_precise_as_it_is_known() -> None:
    entry = formulation.TimelineEntry(
        period=PartialPeriod(
            start=PartialDate(year=2015, month=4), end=PartialDate(year=2016), span=True, as_written="4/15-16"
        )
    )
    body = mapped("TIMELINE_ENTRY", entry, "Observation").renditions[View.FULL]
    assert body["effectivePeriod"] == {"start": "2015-04", "end": "2016"}
    assert {
        "url": "https://ecm-exchange.example/fhir/StructureDefinition/ecm-date-as-written",
        "valueString": "4/15-16",
    } in body["extension"]


def test_what_speaks_of_a_relatives_troubles_is_family_sensitive() -> None:
    entry = formulation.TimelineEntry(kind=formulation.TIMELINE_KIND_OFFENCE)
    assert mapped("TIMELINE_ENTRY", entry, "Observation").categories == ("offending",)
    entry.family_sensitive = True
    assert mapped("TIMELINE_ENTRY", entry, "Observation").categories == ("family-sensitive",)


def test_an_amendment_replaces_what_it_amends() -> None:
    report = formulation.Report(document=PDF, amends_id=str(RECORD_ID))
    body = mapped("REPORT", report, "DocumentReference").renditions[View.FULL]
    assert (body["docStatus"], body["relatesTo"][0]["code"]) == ("amended", "replaces")
    assert body["content"][0]["attachment"]["url"].startswith("Binary/")


def test_a_closed_record_yields_nothing() -> None:
    assert map_record(version("CHILD", CHILD, change=3), CONTEXT) == []


def test_the_subject_is_the_childs_patient() -> None:
    case = referrals.Case(state=referrals.CASE_STATE_ACCEPTED)
    found = map_record(version("CASE", case), CONTEXT)
    assert [one.type for one in found] == ["EpisodeOfCare", "ServiceRequest", "Task"]
    subjects = [one.renditions[View.FULL][name] for one, name in zip(found, ("patient", "subject", "for"), strict=True)]
    assert subjects == [{"reference": f"Patient/{fhir_id(CHILD_ID, 'Patient')}"}] * 3
    assert found[2].renditions[View.FULL]["businessStatus"]["coding"][0]["code"] == "accepted"


def test_a_case_is_no_referral_before_it_is_sent() -> None:
    for state in (referrals.CASE_STATE_DISCUSSED, referrals.CASE_STATE_GO_AHEAD, referrals.CASE_STATE_CLOSED):
        assert [one.type for one in map_record(version("CASE", referrals.Case(state=state)), CONTEXT)] == [
            "EpisodeOfCare"
        ]


def test_both_ids_of_a_record_lead_back_to_it() -> None:
    own, other = record_ids(RECORD_ID)
    assert own == RECORD_ID != other
    assert owning_record(own) == owning_record(other) == RECORD_ID


def test_a_declaration_is_served_as_it_was_made() -> None:
    for declaration, codes in ((FREE, ["none"]), (SCHOOL, ["school"]), (None, [])):
        document = Document(content_type="application/pdf", content=b"%PDF-invented", declaration=declaration)
        body = mapped("ASSESSMENT", referrals.Assessment(document=document), "DocumentReference").renditions[View.FULL]
        assert [one["valueCode"] for one in body.get("extension", [])] == codes


def test_a_reports_document_holds_all_that_it_refers_to() -> None:
    report = formulation.Report(document=PDF, finalised_at=Timestamp(seconds=1_790_000_000))
    body = mapped("REPORT", report, "Bundle").renditions[View.UNPROTECTED]
    assert [one["resource"]["resourceType"] for one in body["entry"]] == ["Composition", "Patient", "Binary"]
    inside = {one["fullUrl"] for one in body["entry"]}
    composition = body["entry"][0]["resource"]
    assert composition["subject"]["reference"] in inside
    assert composition["section"][0]["entry"][0]["reference"] in inside
    assert all("reference" not in author for author in composition["author"])
