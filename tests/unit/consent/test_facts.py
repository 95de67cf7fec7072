"""What other services own, and narrowings laid over it: late or older versions never lift them."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from ecm.api.common.v1 import record_pb2, values_pb2
from ecm.api.formulation.v1 import formulation_records_pb2 as formulation
from ecm.api.referrals.v1 import referrals_records_pb2 as referrals
from ecm.consent.model.facts import (
    BIRTH_DATE,
    CLOSE_CASE,
    PROTECT,
    RECORD,
    Fact,
    Narrowed,
    birth_date,
    dossier_of,
    fact_of,
    shows,
)

ADDRESS = values_pb2.PROTECTED_KIND_ADDRESS


def fact(kind: str, record_id: str, **terms: Any) -> Fact:
    closed, version = terms.pop("closed", False), terms.pop("version", 1)
    return Fact(record_id, kind, "child", "case", "eastvale", version, closed, terms)


def child(version: int = 1, flags: Any = None, born: str = "2012-06-01") -> Fact:
    return fact("CHILD", "child", version=version, date_of_birth=born, flags=flags or {})


def narrowed(what: str, record_id: str, version: int = 0, **terms: Any) -> Narrowed:
    return Narrowed(str(uuid4()), what, record_id, version, terms)


PROTECTED = narrowed(PROTECT, "child", 5, kind=ADDRESS, named=["council"])
REPORT = fact("REPORT", "report", agencies=["council", "custody"])


def test_the_flag_holds_before_its_owner_commits_it() -> None:
    held = dossier_of("child", [child(4)], [PROTECTED])
    assert held.flags == {ADDRESS: frozenset({"council"})}


@pytest.mark.parametrize(
    ("known", "settled"),
    [
        (child(4, {"1": ["council"]}), False),
        (child(5), False),
        (child(5, {"1": ["council", "custody"]}), False),
        (child(5, {"1": ["council"]}), True),
        (child(6, {"1": []}), True),
        (replace(child(6), closed=True), True),
    ],
)
def test_only_a_version_from_then_on_that_shows_it_decides(known: Fact, settled: bool) -> None:
    assert shows(known, PROTECTED) is settled


def test_while_both_speak_the_narrower_holds() -> None:
    held = dossier_of("child", [child(4, {"1": ["custody", "council"]})], [PROTECTED])
    assert held.flags == {ADDRESS: frozenset({"council"})}


def test_a_case_is_closed_before_its_owner_commits_it() -> None:
    closing = narrowed(CLOSE_CASE, "case", 7)
    case = fact("CASE", "case", version=6, open=True)
    assert dossier_of("child", [child(), case], []).cases == {"case": True}
    assert dossier_of("child", [child(), case], [closing]).cases == {"case": False}
    assert not shows(replace(case, version=7), closing)
    assert shows(fact("CASE", "case", version=7, open=False), closing)


def test_a_corrected_birth_date_counts_at_once() -> None:
    corrected = narrowed(BIRTH_DATE, "child", 2, date_of_birth="2013-06-01")
    assert birth_date([child()], []) == date(2012, 6, 1)
    assert birth_date([child()], [corrected]) == date(2013, 6, 1)
    assert not shows(child(2), corrected)
    assert shows(child(2, born="2013-06-01"), corrected)
    assert birth_date([], []) is None


def test_a_circulation_taken_back_can_be_given_again_by_a_later_version() -> None:
    ended = narrowed(RECORD, "report", agency="council")
    held = dossier_of("child", [child(), REPORT], [ended])
    assert [one.agency for one in held.circulations] == ["custody"]
    assert not shows(REPORT, ended)
    assert shows(fact("REPORT", "report", version=2, agencies=["custody"]), ended)


def test_a_retracted_record_is_withheld_from_everyone() -> None:
    held = dossier_of("child", [child(), REPORT], [narrowed(RECORD, "report", agency="")])
    assert held.withheld == {"report"}


def test_an_invitation_cancelled_takes_the_meeting_with_it() -> None:
    invitation = fact("INVITATION", "invitation", meeting_id="meeting", agency="council")
    assert len(dossier_of("child", [child(), invitation], []).invitations) == 1
    for gone in (
        dossier_of("child", [child(), invitation], [narrowed(RECORD, "invitation", agency="council")]),
        dossier_of("child", [child(), replace(invitation, closed=True)], []),
    ):
        assert gone.invitations == ()


def test_a_closed_meeting_isnt_opened_by_an_invitation() -> None:
    invitation = fact("INVITATION", "invitation", meeting_id="meeting", agency="council")
    held = dossier_of("child", [child(), invitation, fact("MEETING", "meeting", closed=True)], [])
    assert held.invitations[0].meeting_id == ""


def test_without_the_childs_file_nothing_is_known() -> None:
    assert not dossier_of("child", [REPORT], []).known
    assert not dossier_of("child", [replace(child(), closed=True)], []).known
    assert not dossier_of("child", [child()], [narrowed(RECORD, "child", agency="")]).known


def version(kind: str, content: Any, **more: Any) -> record_pb2.RecordVersion:
    made = record_pb2.RecordVersion(record_id="r", child_id="child", case_id="case", kind=kind, version=3, **more)
    made.content.Pack(content)
    return made


@pytest.mark.parametrize("state", referrals.CaseState.values()[1:])
def test_which_states_of_a_case_are_closed(state: Any) -> None:
    open_ = state not in (referrals.CASE_STATE_CLOSED, referrals.CASE_STATE_NOT_CARRIED_FORWARD)
    found = fact_of(version("CASE", referrals.Case(state=state)))
    assert (found.terms, found.case_id) == ({"open": open_}, "r")


def test_of_a_child_only_birth_date_and_flags_are_kept() -> None:
    flag = referrals.ProtectedFlag(kind=ADDRESS, named_agencies=["custody", "council"])
    born = values_pb2.Date(year=2012, month=6, day=1)
    content = referrals.Child(family_name="Invented-Name", date_of_birth=born, protected_flags=[flag])
    found = fact_of(version("CHILD", content, yot="eastvale"))
    assert found.terms == {"date_of_birth": "2012-06-01", "flags": {"1": ["council", "custody"]}}


@pytest.mark.parametrize("kind", ["CHILD", "CASE", "INVITATION", "CONTRIBUTION", "REPORT"])
def test_an_erased_record_has_no_content_and_closes_all_the_same(kind: str) -> None:
    erased = record_pb2.RecordVersion(record_id="r", kind=kind, version=9, change=record_pb2.CHANGE_CLOSED)
    found = fact_of(erased)
    assert (found.closed, found.terms) == (True, {})
    held = dossier_of("child", [child(), replace(found, case_id="r")], [])
    assert not any(held.cases.values())
    assert (held.invitations, held.circulations, held.contributions) == ((), (), ())
    assert birth_date([found], []) is None


def test_of_a_report_only_who_has_it_now_is_kept() -> None:
    circulations = [
        formulation.Circulation(agency="council", ended=True),
        formulation.Circulation(agency="custody"),
        formulation.Circulation(agency="council"),
    ]
    found = fact_of(version("REPORT", formulation.Report(circulations=circulations[:2])))
    assert found.terms == {"agencies": ["custody"]}
    found = fact_of(version("REPORT", formulation.Report(circulations=circulations)))
    assert found.terms == {"agencies": ["council", "custody"]}
