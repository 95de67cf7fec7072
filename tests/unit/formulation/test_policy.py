"""Who may call what (checklist 217 to 227)."""

import pytest

from ecm.formulation.app import DESCRIPTORS
from ecm.formulation.model import roles as words
from ecm.formulation.policy import POLICY
from ecm.kit.auth import roles
from ecm.kit.auth.policy import unlisted

PSYCHOLOGISTS = {
    "RecordDevelopmentalMap",
    "PlaceOnRecoveryModel",
    "RecordRecommendations",
    "DraftReport",
    "FinaliseReport",
    "AmendReport",
}
INVITED = {"AnswerInvitation", "ContributeInformation"}


def test_every_method_is_listed() -> None:
    assert unlisted(POLICY, DESCRIPTORS) == []


def test_only_psychology_writes_the_formulation_and_no_yot_role_can() -> None:
    assert {name for name, rule in POLICY.items() if rule.partners == {roles.PSYCHOLOGY}} == PSYCHOLOGISTS
    for name in PSYCHOLOGISTS | INVITED:
        assert not POLICY[name].people
        assert not POLICY[name].services


def test_partners_only_write_and_read_nothing() -> None:
    assert {name for name, rule in POLICY.items() if rule.partners} == PSYCHOLOGISTS | INVITED


@pytest.mark.parametrize("method", ["InviteAgency", "CirculateReport"])
def test_invitees_and_circulation_are_the_case_managers(method: str) -> None:
    assert POLICY[method].people == {roles.CASE_MANAGER}


def test_services_fetch_and_nothing_else() -> None:
    assert {name for name, rule in POLICY.items() if rule.services} == {"ListRecordVersions", "ListChildRecords"}


def test_whatever_changes_something_is_a_command() -> None:
    for name, rule in POLICY.items():
        assert rule.command == (not name.startswith(("Get", "List")))


def test_analysts_and_administrators_see_no_child() -> None:
    for rule in POLICY.values():
        assert not rule.people & {roles.ANALYST, roles.ADMINISTRATOR}


def test_rules_use_the_kits_words() -> None:
    ours = (words.CASE_MANAGER, words.SENIOR_PRACTITIONER, words.PSYCHOLOGY)
    assert ours == (roles.CASE_MANAGER, roles.SENIOR_PRACTITIONER, roles.PSYCHOLOGY)
