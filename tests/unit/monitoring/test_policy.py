"""Who may call what (checklist 228, 230, 231)."""

from ecm.kit.auth.policy import unlisted
from ecm.kit.auth.roles import ANALYST, EXCHANGE, SENIOR_PRACTITIONER, YOT_MANAGER
from ecm.monitoring.app import SERVICES
from ecm.monitoring.policy import POLICY
from ecm.monitoring.store import KINDS


def test_every_method_is_listed() -> None:
    assert unlisted(POLICY, SERVICES) == []


def test_analysts_and_managers_see_the_aggregate_alone() -> None:
    for role in (ANALYST, YOT_MANAGER):
        assert [name for name, rule in POLICY.items() if role in rule.people] == ["GetReturn"]


def test_only_the_exchange_fetches_records() -> None:
    fetched = {name: rule.services for name, rule in POLICY.items() if rule.services}
    assert fetched == {name: frozenset({EXCHANGE}) for name in ("ListRecordVersions", "ListChildRecords")}


def test_the_caseload_is_the_senior_practitioners() -> None:
    assert POLICY["EnterCaseload"].people == frozenset({SENIOR_PRACTITIONER})


def test_supervision_is_no_record_and_so_never_streamed() -> None:
    assert "SUPERVISION" not in KINDS
