"""Small builders for the rules of `referrals`. Everybody here is invented."""

from datetime import UTC, date, datetime

import pytest

from ecm.api.common.v1.values_pb2 import Date, Document, FreeText
from ecm.api.referrals.v1 import referrals_records_pb2 as pb
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region_parts import Criteria, Referral
from ecm.referrals.model.dates import age_on
from ecm.referrals.model.stamp import Decision, Stamp
from ecm.referrals.model.states import life_cycle

TODAY = date(2026, 11, 24)
BORN = date(2012, 6, 15)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
STAMP = Stamp(NOW, "case-manager", 1)
WITH_SIFT = Referral(central_sift=True)
WITH_PANEL = Referral(central_sift=True, panel_approval=True)
CRITERIA = Criteria(
    version=1,
    effective_from=date(2026, 1, 1),
    minimum_involvement_months=6,
    disposals=["out-of-court-disposal", "community-order", "dto-licence"],
    exclude=["prevention", "custody"],
)


def day(value: date) -> Date:
    return Date(year=value.year, month=value.month, day=value.day)


def child(**changes: object) -> pb.Child:
    values: dict[str, object] = {
        "given_names": ["Quillon"],
        "family_name": "Zephyrson",
        "date_of_birth": day(BORN),
        "local_case_number": "EV-0001",
        "nhs_number": "9990000018",
    }
    return pb.Child(**(values | changes))  # type: ignore[arg-type]


def form(**changes: object) -> pb.ReferralForm:
    """A form that can be sent."""
    values: dict[str, object] = {
        "case_manager_name": "Case Manager",
        "yot": "eastvale",
        "contact_number": "01632 960002",
        "date_of_referral": day(TODAY),
        "reason": FreeText(text="A shared formulation would let us sequence the work."),
        "child_name": "Quillon Zephyrson",
        "age": 14,
        "ethnicity": "A",
        "gender": pb.GENDER_MALE,
        "disposal": pb.DISPOSAL_COMMUNITY_ORDER,
        "disposal_start": day(TODAY),
        "disposal_months": 4,
        "voluntary_months": 3,
        "previous_interventions": 0,
        "repeat_offender": pb.YES_NO_NO,
        "risk_of_reoffending": pb.RISK_LEVEL_HIGH,
        "risk_of_harm_to_self": pb.RISK_LEVEL_MEDIUM,
        "risk_of_harm_to_others": pb.RISK_LEVEL_LOW,
        "sentenced": pb.YES_NO_YES,
        "aces": pb.AdverseChildhoodExperiences(verbal_abuse=pb.YES_NO_DONT_KNOW_YES),
        "complexity": pb.Complexity(child_protection_plan=pb.CURRENT_PREVIOUS_NEVER_PREVIOUS),
    }
    return pb.ReferralForm(**(values | changes))  # type: ignore[arg-type]


def decision(reason: str = "", switches: Referral = WITH_SIFT, at: datetime = NOW) -> Decision:
    return Decision(life_cycle(switches), Stamp(at, "case-manager", 1), reason)


def case_in(state: int, *earlier: int) -> pb.Case:
    """A case that went through `earlier` states to `state`."""
    case = pb.Case(case_manager="case-manager", state=state)
    origins = [pb.CASE_STATE_UNSPECIFIED, *earlier]
    for origin, to in zip(origins, [*earlier, state], strict=True):
        step = case.steps.add(to=to, by="case-manager")
        setattr(step, "from", origin)
        step.at.FromDatetime(NOW)
    return case


class refused:  # noqa: N801  reads like pytest.raises
    """Within, a DomainError of this reason, and at this field where one is given, must be raised."""

    def __init__(self, reason: Reason, field: str = "") -> None:
        self._reason, self._field = reason, field
        self.message = ""

    def __enter__(self) -> "refused":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if error is None:
            pytest.fail(f"nothing was refused; {self._reason} was expected")
        if not isinstance(error, DomainError):
            return False
        assert (error.reason, error.field or self._field) == (self._reason, self._field or error.field)
        self.message = error.message
        return True


def assessment(on: date = TODAY) -> pb.Assessment:
    """An AssetPlus assessment of a few bytes."""
    document = Document(content_type="application/pdf", title="AssetPlus assessment", content=b"%PDF-1.4\n%%EOF\n")
    return pb.Assessment(document=document, assessed_on=day(on))


def age_today(today: date) -> int:
    return age_on(BORN, today)
