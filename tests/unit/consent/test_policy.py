"""Who may call what (checklist 217 to 232)."""

from ecm.api.consent.v1 import consent_service_pb2
from ecm.consent.policy import POLICY
from ecm.kit.auth.policy import unlisted
from ecm.kit.auth.roles import ADMINISTRATOR, ANALYST, CASE_MANAGER

SERVICE = consent_service_pb2.DESCRIPTOR.services_by_name["ConsentService"]


def test_every_method_has_a_rule() -> None:
    assert unlisted(POLICY, [SERVICE]) == []


def test_only_the_case_manager_records_what_widens_consent() -> None:
    assert POLICY["SeekConsent"].people == POLICY["GiveConsent"].people == {CASE_MANAGER}


def test_whatever_narrows_consent_waits_for_nobodys_leave() -> None:
    for method in ("RefuseConsent", "Withdraw", "EndOverride"):
        assert len(POLICY[method].people) == 6
        assert POLICY[method].people.isdisjoint({ANALYST, ADMINISTRATOR})


def test_no_partner_calls_anything_here() -> None:
    assert all(not rule.partners for rule in POLICY.values())
