"""What R4 or this exchange forbids, each with the element at fault; fhir.resources lets much of it through."""

import base64
from decimal import Decimal

import pytest

from ecm.exchange.mapping import codes
from ecm.kit.errors import DomainError, Reason
from unit.exchange.intake.posted import (
    COUNCIL,
    PATIENT,
    PSYCHOLOGY,
    activity,
    age,
    command,
    concept,
    contribution,
    developmental_map,
    document,
    holds,
    plan,
    read,
    report,
    response,
    stage,
    without,
)

FOUR = [age("physical", 14), age("social", 9), age("cognitive", 11), age("emotional", 6)]


def changed(n, component):
    return [component if m == n else each for m, each in enumerate(FOUR)]


def attached(**changes):
    posted = contribution()
    posted["content"][0]["attachment"] |= changes
    return posted


PSYCHOLOGYS = {
    "no status": (without(developmental_map(), "status"), "Observation.status"),
    "a status outside the binding": (developmental_map(status="bogus"), "Observation.status"),
    "a status that R4 has and we don't": (developmental_map(status="preliminary"), "Observation.status"),
    "no code": (without(developmental_map(), "code"), "Observation.code"),
    "another code": (developmental_map(code=concept("http://loinc.org", "8302-2")), "Observation.code"),
    "no subject": (without(developmental_map(), "subject"), "Observation.subject"),
    "another subject": (developmental_map(subject={"reference": "Group/1"}), "Observation.subject.reference"),
    "a subject by name": (developmental_map(subject={"display": "Somebody"}), "Observation.subject.reference"),
    "no day": (without(developmental_map(), "effectiveDateTime"), "Observation.effectiveDateTime"),
    "half a day": (developmental_map(effectiveDateTime="2026-11"), "Observation.effectiveDateTime"),
    "three estimates": (developmental_map(component=FOUR[:3]), "Observation.component"),
    "no estimates": (without(developmental_map(), "component"), "Observation.component"),
    "an estimate twice": (developmental_map(component=[*FOUR[:3], FOUR[0]]), "Observation.component[3].code"),
    "an estimate as text": (
        developmental_map(component=changed(1, age("social", "9"))), "Observation.component[1].valueQuantity.value",
    ),
    "an estimate with two decimals": (
        developmental_map(component=changed(1, age("social", Decimal("9.25")))),
        "Observation.component[1].valueQuantity.value",
    ),
    "a negative estimate": (
        developmental_map(component=changed(0, age("physical", -1))), "Observation.component[0].valueQuantity.value",
    ),
    "an estimate of an adult": (
        developmental_map(component=changed(0, age("physical", 26))), "Observation.component[0].valueQuantity.value",
    ),
    "months": (
        developmental_map(
            component=changed(0, FOUR[0] | {"valueQuantity": {"value": 9, "system": codes.UCUM, "code": "mo"}})
        ),
        "Observation.component[0].valueQuantity.code",
    ),
    "a note": (developmental_map(note=[{"text": "More."}]), "Observation.note"),
    "an unknown element": (developmental_map(foo=1), "Observation.foo"),
    "a modifier": (
        developmental_map(modifierExtension=[{"url": "http://x.invalid", "valueBoolean": True}]),
        "Observation.modifierExtension",
    ),
    "somebody else as performer": (
        developmental_map(performer=[{"identifier": {"system": codes.HCPC, "value": "PYL99999"}}]),
        "Observation.performer[0].identifier",
    ),
    "another agency as performer": (
        developmental_map(performer=[{"reference": f"Organization/{PATIENT}"}]), "Observation.performer[0].reference",
    ),
    "an own narrative": (
        developmental_map(text={"status": "additional", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}),
        "Observation.text",
    ),
    "a stage that the model hasn't": (stage(7), "Observation.valueCodeableConcept.coding[0].code"),
    "a stage of no system of URIs": (
        stage(valueCodeableConcept=concept("not right!", "1")), "Observation.valueCodeableConcept.coding[0].system",
    ),
    "a category that R4 hasn't": (
        stage(category=[concept(codes.OBSERVATION_CATEGORY, "gossip")]), "Observation.category[0].coding[0].code",
    ),
    "an extension inside": (
        stage(category=[{"text": "Exam", "extension": [{"url": "http://x.invalid", "valueCode": "none"}]}]),
        "Observation.category[0].extension",
    ),
    "an extension of a value": (
        stage(_status={"extension": [{"url": "http://x.invalid", "valueCode": "none"}]}), "Observation._status",
    ),
    "a list for an object": (stage(subject=[{"reference": f"Patient/{PATIENT}"}]), "Observation.subject"),
    "an activity's id twice": (plan(activity=[activity("r1", "a"), activity("r1", "b")]), "CarePlan.activity[1].id"),
    "no stage": (without(stage(), "valueCodeableConcept"), "Observation.valueCodeableConcept"),
    "another model": (
        stage(valueCodeableConcept=concept("http://models.invalid", "1")), "Observation.valueCodeableConcept.coding",
    ),
    "an unknown extension": (
        stage(extension=[{"url": "http://x.invalid", "valueCode": "none"}]), "Observation.extension[0].url",
    ),
    "none and a kind": (stage(extension=holds("none", "address")), "Observation.extension"),
    "an unknown protected kind": (stage(extension=holds("shoes")), "Observation.extension[0].valueCode"),
    "no intent": (without(plan(), "intent"), "CarePlan.intent"),
    "another intent": (plan(intent="option"), "CarePlan.intent"),
    "another category": (plan(category=[concept(codes.PLAN, "intervention-plan")]), "CarePlan.category"),
    "no activity": (without(plan(), "activity"), "CarePlan.activity"),
    "an activity without words": (
        plan(activity=[{"detail": {"status": "not-started", "performer": [{"display": "mentor"}]}}]),
        "CarePlan.activity[0].detail.description",
    ),
    "an activity for nobody": (
        plan(activity=[{"detail": {"status": "not-started", "description": "Something"}}]),
        "CarePlan.activity[0].detail.performer",
    ),
    "an activity without status": (
        plan(activity=[{"detail": without(activity("a", "b")["detail"], "status")}]),
        "CarePlan.activity[0].detail.status",
    ),
    "an activity done already": (
        plan(activity=[activity("a", "b", status="completed")]), "CarePlan.activity[0].detail.status",
    ),
    "a place of zero": (
        plan(activity=[activity("a", "b", extension=[{"url": codes.SEQUENCE, "valuePositiveInt": 0}])]),
        "CarePlan.activity[0].detail.extension[0].valuePositiveInt",
    ),
    "a report without its meeting": (without(report(), "context"), "DocumentReference.context"),
    "a report of no status": (without(report(), "docStatus"), "DocumentReference.docStatus"),
    "a final report without a draft": (report("final"), "DocumentReference.docStatus"),
    "an amendment of nothing": (report("amended", description="Why"), "DocumentReference.relatesTo"),
    "an amendment without its reason": (
        report("amended", relatesTo=[{"code": "replaces", "target": {"reference": f"DocumentReference/{PATIENT}"}}]),
        "DocumentReference.description",
    ),
    "an amendment that only appends": (
        report(
            "amended", description="Why",
            relatesTo=[{"code": "appends", "target": {"reference": f"DocumentReference/{PATIENT}"}}],
        ),
        "DocumentReference.relatesTo[0].code",
    ),
}  # fmt: skip

COUNCILS = {
    "no appointment": (without(response(), "appointment"), "AppointmentResponse.appointment"),
    "no status": (without(response(), "participantStatus"), "AppointmentResponse.participantStatus"),
    "no answer": (response(participantStatus="needs-action"), "AppointmentResponse.participantStatus"),
    "no actor": (without(response(), "actor"), "AppointmentResponse.actor"),
    "another agency": (
        response(actor={"identifier": {"system": codes.ODS, "value": "XPSY1"}}), "AppointmentResponse.actor.identifier",
    ),
    "a person": (response(actor={"reference": f"Patient/{PATIENT}"}), "AppointmentResponse.actor.reference"),
    "another time": (response(start="2026-12-01T10:00:00Z"), "AppointmentResponse.start"),
    "no content": (without(contribution(), "content"), "DocumentReference.content"),
    "no status of the document": (without(contribution(), "status"), "DocumentReference.status"),
    "superseded at birth": (contribution(status="superseded"), "DocumentReference.status"),
    "a document elsewhere": (
        contribution(content=[{"attachment": {"contentType": "application/pdf", "url": "http://x.invalid/a"}}]),
        "DocumentReference.content[0].attachment.url",
    ),
    "a document without bytes": (
        contribution(content=[{"attachment": {"contentType": "application/pdf"}}]),
        "DocumentReference.content[0].attachment.data",
    ),
    "bytes that aren't base64": (attached(data="!!!!"), "DocumentReference.content[0].attachment.data"),
    "bytes with blanks": (attached(data="QUJD QUJD"), "DocumentReference.content[0].attachment.data"),
    "another size": (attached(size=1), "DocumentReference.content[0].attachment.size"),
    "another hash": (
        attached(hash=base64.b64encode(b"0" * 20).decode()), "DocumentReference.content[0].attachment.hash",
    ),
    "two documents": (
        contribution(content=contribution()["content"] * 2), "DocumentReference.content",
    ),
    "no meeting": (without(contribution(), "context"), "DocumentReference.context"),
    "an unknown category": (
        contribution(category=[concept(codes.CATEGORY, "gossip")]), "DocumentReference.category[0].coding[0].code",
    ),
    "a category of another system": (
        contribution(category=[concept("http://loinc.org", "11488-4")]), "DocumentReference.category[0]",
    ),
    "a number for a day": (contribution(date=7), "DocumentReference.date"),
    "content that is no list": (contribution(content=contribution()["content"][0]), "DocumentReference.content"),
    "a security label": (
        contribution(securityLabel=[concept("http://x.invalid", "R")]), "DocumentReference.securityLabel",
    ),
    "contained resources": (
        contribution(contained=[{"resourceType": "Patient"}]), "DocumentReference.contained",
    ),
}  # fmt: skip


def refusal(posted, client):
    with pytest.raises(DomainError) as refused:
        command(posted, client=client)
    return refused.value


@pytest.mark.parametrize(("posted", "path"), PSYCHOLOGYS.values(), ids=PSYCHOLOGYS.keys())
def test_psychology_is_told_the_element(posted, path):
    refused = refusal(posted, PSYCHOLOGY)
    assert (refused.reason, refused.field) == (Reason.INVARIANT, path)


@pytest.mark.parametrize(("posted", "path"), COUNCILS.values(), ids=COUNCILS.keys())
def test_the_council_is_told_the_element(posted, path):
    refused = refusal(posted, COUNCIL)
    assert (refused.reason, refused.field) == (Reason.INVARIANT, path)


@pytest.mark.parametrize("posted", [developmental_map(), stage(), plan(), report(), report("amended")])
def test_nobody_but_psychology_writes_clinically(posted):
    assert refusal(posted, COUNCIL).reason is Reason.PERMISSION_DENIED
    assert refusal(posted, "custody-northgate").reason is Reason.PERMISSION_DENIED


def test_a_comment_is_bounded():
    assert refusal(response(comment="x" * 2_001), COUNCIL).reason is Reason.TOO_LARGE


def test_a_document_is_bounded():
    posted = document("contribution", b"x" * (10 * 1024 * 1024 + 1), context=contribution()["context"])
    assert refusal(posted, COUNCIL).reason is Reason.TOO_LARGE


def test_a_fault_never_quotes_what_was_sent():
    with pytest.raises(DomainError) as refused:
        read(developmental_map(effectiveDateTime="Quillon Zephyrson"))
    assert "Quillon" not in refused.value.message
