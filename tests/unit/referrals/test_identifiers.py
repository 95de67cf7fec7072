"""By what a child is found (checklist 44), and the preparation checklist (100 to 114)."""

import pytest

from ecm.api.common.v1.values_pb2 import Identifier
from ecm.api.referrals.v1 import referrals_records_pb2 as pb
from ecm.kit.errors import Reason
from ecm.referrals.model.identifiers import IdentifierKind, Wanted, identifiers_of, wanted
from ecm.referrals.model.preparation import answer
from unit.referrals.builders import TODAY, case_in, child, refused

BASE = "https://region.example.invalid/id"


def test_both_identifiers_of_a_file_count() -> None:
    assert identifiers_of(child()) == {
        IdentifierKind.NHS_NUMBER: "9990000018",
        IdentifierKind.LOCAL_CASE_NUMBER: "ev-0001",
    }
    assert IdentifierKind.NHS_NUMBER not in identifiers_of(child(nhs_number=""))


def test_a_search_names_its_system() -> None:
    local = Identifier(system=f"{BASE}/case-number/eastvale", value=" EV-0001 ")
    assert wanted(local, BASE) == Wanted(IdentifierKind.LOCAL_CASE_NUMBER, "ev-0001", "eastvale")
    nhs = Identifier(system="https://fhir.nhs.uk/Id/nhs-number", value="9990000018")
    assert wanted(nhs, BASE) == Wanted(IdentifierKind.NHS_NUMBER, "9990000018")
    with refused(Reason.INVALID_VALUE, "identifier.system"):
        wanted(Identifier(system="https://elsewhere.invalid", value="1"), BASE)
    with refused(Reason.MISSING_VALUE, "identifier.value"):
        wanted(Identifier(system=f"{BASE}/case-number"), BASE)


def test_a_line_of_the_checklist_has_its_newest_answer() -> None:
    case = answer(case_in(pb.CASE_STATE_ACCEPTED), 107, False, TODAY, "case-manager")
    case = answer(case, 101, True, TODAY, "case-manager")
    case = answer(case, 107, True, TODAY, "senior-practitioner")
    assert [(line.item, line.done, line.by) for line in case.checklist] == [
        (101, True, "case-manager"),
        (107, True, "senior-practitioner"),
    ]


@pytest.mark.parametrize("item", [99, 115, 0, -1])
def test_a_line_that_is_not_there_is_refused(item: int) -> None:
    with refused(Reason.INVALID_VALUE, "item"):
        answer(case_in(pb.CASE_STATE_ACCEPTED), item, True, TODAY, "case-manager")


def test_an_ended_case_takes_no_answers() -> None:
    with refused(Reason.ILLEGAL_TRANSITION):
        answer(case_in(pb.CASE_STATE_CLOSED), 107, True, TODAY, "case-manager")
