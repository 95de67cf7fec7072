"""The policy lists every method, and only those (checklist 217 to 219, 232)."""

from ecm.kit.rpc.policy import unlisted
from ecm.kit.rpc.roles import ADMINISTRATOR, ANALYST, CASE_MANAGER
from ecm.referrals.app import SERVICES
from ecm.referrals.policy import POLICY

READS = {"GetChild", "FindChildren", "ListFamilyMembers", "GetCase", "ListCases", "GetReferralForm"}
FETCHES = {"ListRecordVersions", "ListChildRecords"}


def test_every_method_has_its_rule() -> None:
    assert unlisted(POLICY, SERVICES) == []


def test_commands_are_commands_and_reads_are_not() -> None:
    assert {name for name, entry in POLICY.items() if not entry.command} == READS | FETCHES


def test_no_partner_calls_here_and_analysts_see_no_child() -> None:
    assert not any(entry.partners for entry in POLICY.values())
    assert not any({ANALYST, ADMINISTRATOR} & entry.people for entry in POLICY.values())


def test_only_services_fetch_records() -> None:
    assert all(POLICY[name].services and not POLICY[name].people for name in FETCHES)
    assert not any(entry.services for name, entry in POLICY.items() if name not in FETCHES)


def test_the_referral_is_the_case_managers() -> None:
    for name in ("RegisterChild", "OpenCase", "SaveReferralForm", "AttachAssessment", "SendReferral"):
        assert POLICY[name].people == {CASE_MANAGER}
