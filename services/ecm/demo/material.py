"""The invented child of the journey: file, family, the guidance's own form, and what is signed."""

from dataclasses import dataclass
from datetime import date

from ecm.api.common.v1.values_pb2 import Date, Document, FreeText, PartialDate, ProtectedDeclaration
from ecm.api.consent.v1 import consent_records_pb2 as consent
from ecm.api.referrals.v1 import referrals_records_pb2 as referrals

NHS_NUMBER_SYSTEM = "https://fhir.nhs.uk/Id/nhs-number"
AGE = 14
HOLDS_NONE = ProtectedDeclaration()


@dataclass(frozen=True, slots=True)
class Subject:
    """Who the journey is about. `secrets` are strings that no log or topic may hold."""

    given: str
    family: str
    nhs_number: str
    local_case_number: str
    born: date
    postcode: str = "ZZ99 3WZ"
    street: str = "4 Invented Terrace"
    town: str = "Nowhereton"

    @property
    def identifier(self) -> str:
        """`system|value` to search by."""
        return f"{NHS_NUMBER_SYSTEM}|{self.nhs_number}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not stand in any log or topic."""
        return (
            self.given,
            self.family,
            self.nhs_number,
            self.local_case_number,
            self.postcode,
            self.street,
            self.town,
            self.born.isoformat(),
        )


def birth_date(today: date) -> date:
    """A date in June, as in Appendix 3, on which a child was born who is 14 today."""
    year = today.year - AGE
    return date(year, 6, 15) if (today.month, today.day) >= (6, 15) else date(year - 1, 6, 15)


def first_subject(today: date) -> Subject:
    """The child of the journey."""
    return Subject("Quillon", "Zephyrson", "9990000018", "EV-0001", birth_date(today))


def second_subject(today: date) -> Subject:
    """A second child, who keeps their consent."""
    return Subject("Brontessa", "Umberwick", "9990000026", "EV-0002", birth_date(today), street="9 Imagined Row")


def day(value: date) -> Date:
    """A calendar date as a message."""
    return Date(year=value.year, month=value.month, day=value.day)


def free(text: str) -> FreeText:
    """Text declared to hold nothing that can be protected."""
    return FreeText(text=text, declaration=HOLDS_NONE)


def child(subject: Subject) -> referrals.Child:
    """The child's file."""
    return referrals.Child(
        given_names=[subject.given],
        family_name=subject.family,
        date_of_birth=day(subject.born),
        gender=referrals.GENDER_MALE,
        ethnic_category="A",
        nhs_number=subject.nhs_number,
        local_case_number=subject.local_case_number,
        address=referrals.Address(lines=[subject.street], town=subject.town, postcode=subject.postcode),
        contacts=[referrals.Contact(kind=referrals.CONTACT_KIND_PHONE, value="01632 960001")],
        school=referrals.School(name="Nowhereton Academy"),
        language="en",
    )


def mother(subject: Subject) -> referrals.FamilyMember:
    """The child's mother, who holds parental responsibility."""
    return referrals.FamilyMember(
        given_names=["Ondine"],
        family_name=subject.family,
        relationship=referrals.RELATIONSHIP_MOTHER,
        gender=referrals.GENDER_FEMALE,
        date_of_birth=PartialDate(year=subject.born.year - 24),
        parental_responsibility=True,
        lives_with_child=True,
    )


def sibling(subject: Subject, mother_id: str) -> referrals.FamilyMember:
    """The half-sibling "Joe" of Appendix 3."""
    return referrals.FamilyMember(
        given_names=["Joe"],
        family_name=subject.family,
        relationship=referrals.RELATIONSHIP_HALF_SIBLING,
        gender=referrals.GENDER_MALE,
        date_of_birth=PartialDate(year=subject.born.year + 1, month=1),
        parent_ids=[mother_id],
    )


def referral_form(subject: Subject, today: date) -> referrals.ReferralForm:
    """Every item of checklist 29 to 75, with *don't know* and unanswered both used."""
    return referrals.ReferralForm(
        case_manager_name="Case Manager",
        yot="eastvale",
        contact_number="01632 960002",
        date_of_referral=day(today),
        reason=free("Known to many services, hard to engage; a shared formulation would let us sequence the work."),
        child_name=f"{subject.given} {subject.family}",
        age=AGE,
        ethnicity="A",
        gender=referrals.GENDER_MALE,
        disposal=referrals.DISPOSAL_COMMUNITY_ORDER,
        disposal_start=day(today.replace(day=1)),
        disposal_months=4,
        voluntary_months=3,
        previous_interventions=2,
        repeat_offender=referrals.YES_NO_YES,
        risk_of_reoffending=referrals.RISK_LEVEL_HIGH,
        risk_of_harm_to_self=referrals.RISK_LEVEL_MEDIUM,
        risk_of_harm_to_others=referrals.RISK_LEVEL_LOW,
        sentenced=referrals.YES_NO_YES,
        aces=_aces(),
        complexity=_complexity(),
    )


def _aces() -> referrals.AdverseChildhoodExperiences:
    yes, no = referrals.YES_NO_DONT_KNOW_YES, referrals.YES_NO_DONT_KNOW_NO
    unknown = referrals.YES_NO_DONT_KNOW_DONT_KNOW
    return referrals.AdverseChildhoodExperiences(
        verbal_abuse=yes,
        physical_abuse=unknown,
        sexual_abuse=unknown,
        neglect=no,
        parental_separation=yes,
        witnessed_domestic_abuse=yes,
        household_mental_illness=no,
        household_alcohol_abuse=unknown,
        household_drug_abuse=no,
        household_incarceration=no,
        significant_bereavement=yes,
    )


def _complexity() -> referrals.Complexity:
    yes, no = referrals.YES_NO_DONT_KNOW_YES, referrals.YES_NO_DONT_KNOW_NO
    unknown = referrals.YES_NO_DONT_KNOW_DONT_KNOW
    return referrals.Complexity(
        child_protection_plan=referrals.CURRENT_PREVIOUS_NEVER_PREVIOUS,
        local_authority_care=referrals.CURRENT_PREVIOUS_NEVER_NEVER,
        other_social_care=referrals.CURRENT_PREVIOUS_NEVER_CURRENT,
        camhs_contact=referrals.CURRENT_PREVIOUS_NEVER_PREVIOUS,
        problematic_drug_use=no,
        problematic_alcohol_use=no,
        emotional_mental_health=yes,
        brain_injury_neurological=unknown,
        learning_educational=yes,
        speech_language_communication=unknown,
        exploitation=no,
        accommodation_instability=yes,
        serious_youth_violence=no,
        emotional_abuse=yes,
    )


def pdf(title: str) -> bytes:
    """A small, whole PDF of one empty page with a title; enough to be a document."""
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n"
        b"4 0 obj<</Title(" + title.encode("ascii") + b")>>endobj\n"
        b"trailer<</Root 1 0 R/Info 4 0 R/Size 5>>\n%%EOF\n"
    )


def asset_plus(today: date) -> referrals.Assessment:
    """The AssetPlus assessment; nothing declared, so it counts as holding every protected kind."""
    document = Document(
        content_type="application/pdf", title="AssetPlus assessment", content=pdf("AssetPlus assessment"), language="en"
    )
    return referrals.Assessment(document=document, assessed_on=day(today))


def instruments(subject: Subject, today: date) -> list[consent.SignedInstrument]:
    """General form and leaflet, each signed by the child and the mother (checklist 117, 123)."""
    return [
        _instrument(subject, today, consent.INSTRUMENT_GENERAL_FORM, ""),
        _instrument(subject, today, consent.INSTRUMENT_ECM_LEAFLET, "ecm-leaflet-1"),
    ]


def _instrument(
    subject: Subject, today: date, which: "consent.Instrument.ValueType", leaflet: str
) -> consent.SignedInstrument:
    scan = Document(content_type="application/pdf", title="Signed form", content=pdf("Signed form"), language="en")
    return consent.SignedInstrument(
        instrument=which,
        leaflet_version=leaflet,
        language="en",
        scan=scan,
        signatures=[
            consent.Signature(
                capacity=consent.SIGNATORY_CAPACITY_CHILD,
                name=f"{subject.given} {subject.family}",
                signed_on=day(today),
                competence=consent.COMPETENCE_COMPETENT,
            ),
            consent.Signature(
                capacity=consent.SIGNATORY_CAPACITY_PARENTAL_RESPONSIBILITY,
                parental_responsibility=consent.PARENTAL_RESPONSIBILITY_PARENT,
                name=f"Ondine {subject.family}",
                signed_on=day(today),
            ),
        ],
    )
