"""The policy lists every method, and only those (checklist 217 to 219, 232)."""

from types import SimpleNamespace

from ecm.kit.auth.policy import unlisted
from ecm.kit.auth.roles import ADMINISTRATOR, ANALYST, CASE_MANAGER, EXCHANGE, SUPERVISOR, YOT_MANAGER
from ecm.kit.errors import Reason
from ecm.referrals.app import SERVICES
from ecm.referrals.commands.deciding import check_on_panel
from ecm.referrals.policy import POLICY
from unit.referrals.builders import refused

READS = {"GetChild", "FindChildren", "ListFamilyMembers", "GetCase", "ListCases", "GetReferralForm"}
FETCHES = {"ListRecordVersions", "ListChildRecords"}


def test_every_method_has_its_rule() -> None:
    assert unlisted(POLICY, SERVICES) == []


def test_commands_are_commands_and_reads_are_not() -> None:
    assert {name for name, entry in POLICY.items() if not entry.command} == READS | FETCHES


def test_no_partner_calls_here_and_analysts_see_no_child() -> None:
    assert not any(entry.partners for entry in POLICY.values())
    assert not any({ANALYST, ADMINISTRATOR} & entry.people for entry in POLICY.values())


def test_services_fetch_records_and_the_exchange_asks_whose_child_it_is() -> None:
    assert all(POLICY[name].services and not POLICY[name].people for name in FETCHES)
    others = {name for name, entry in POLICY.items() if entry.services} - FETCHES
    assert {name: POLICY[name].services for name in others} == {"FindChildren": {EXCHANGE}}


def test_the_referral_is_the_case_managers() -> None:
    for name in ("RegisterChild", "OpenCase", "SaveReferralForm", "AttachAssessment", "SendReferral"):
        assert POLICY[name].people == {CASE_MANAGER}


def on_panel(roles: list[str], *panel: str) -> None:
    acting = SimpleNamespace(roles=frozenset(("eastvale", role) for role in roles))
    region = SimpleNamespace(role_bindings=SimpleNamespace(panel=list(panel)))
    check_on_panel(SimpleNamespace(principal=acting, region=region), "eastvale")  # type: ignore[arg-type]


def test_the_panel_is_whom_the_region_binds_to_it() -> None:
    on_panel([SUPERVISOR])
    on_panel([YOT_MANAGER], YOT_MANAGER)
    with refused(Reason.PERMISSION_DENIED) as refusal:
        on_panel([SUPERVISOR], YOT_MANAGER)
    assert YOT_MANAGER in refusal.message
