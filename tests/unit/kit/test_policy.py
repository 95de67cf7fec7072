"""Rules name only what exists; what isn't listed is refused."""

import pytest

from ecm.api.referrals.v1.referrals_service_pb2 import DESCRIPTOR
from ecm.kit.auth.policy import by_full_name, check, rule, unlisted
from ecm.kit.auth.principal import Principal, PrincipalKind, service_principal
from ecm.kit.auth.roles import ALL_AGENCY_KINDS, ALL_ROLES
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region_parts import AgencyKind, Role
from unit.kit.builders import example_region, person

SERVICE = DESCRIPTOR.services_by_name["ReferralsService"]


def test_roles_and_kinds_are_those_of_the_region_file() -> None:
    assert set(Role.__args__) == ALL_ROLES  # type: ignore[attr-defined]
    assert set(AgencyKind.__args__) == ALL_AGENCY_KINDS  # type: ignore[attr-defined]


@pytest.mark.parametrize("wrong", [{"people": ["king"]}, {"services": ["ecm-nobody"]}, {"partners": ["bank"]}])
def test_a_rule_with_an_unknown_name(wrong: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError, match="Unknown in a rule"):
        rule(**wrong)  # type: ignore[arg-type]


def test_names() -> None:
    made = rule(people={"case-manager"})
    full = f"/{SERVICE.full_name}/RegisterChild"
    assert by_full_name({"RegisterChild": made}, [SERVICE]) == {full: made}
    assert by_full_name({full: made}, [SERVICE]) == {full: made}
    with pytest.raises(ValueError, match="methods that don't exist: RegisterDog"):
        by_full_name({"RegisterDog": made}, [SERVICE])
    assert full not in unlisted({"RegisterChild": made}, [SERVICE])
    assert len(unlisted({"RegisterChild": made}, [SERVICE])) == len(SERVICE.methods) - 1


def test_absent_is_refused() -> None:
    with pytest.raises(DomainError) as caught:
        check(None, person(), example_region())
    assert caught.value.reason is Reason.PERMISSION_DENIED


def test_each_kind_is_admitted_by_its_own_list_alone() -> None:
    region = example_region()
    partner = Principal(PrincipalKind.PARTNER, "nhs-psychology", agency="nhs-psychology", client="nhs-psychology")
    people = {
        person(): rule(people={"case-manager"}),
        service_principal("consent"): rule(services={"ecm-consent"}),
        partner: rule(partners={"psychology"}),
    }
    for who in people:
        for admitted, entry in people.items():
            if who == admitted:
                check(entry, who, region)
            else:
                with pytest.raises(DomainError):
                    check(entry, who, region)
