"""Who may call which method; a method that isn't listed is refused."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from google.protobuf.descriptor import ServiceDescriptor

from ecm.kit.auth.principal import Principal, PrincipalKind
from ecm.kit.auth.roles import ALL_AGENCY_KINDS, ALL_ROLES, ALL_SERVICES
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region import Region

RowScope = Literal["yot", "region", "none"]


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may call one method.

    `people` are YOT roles, `services` client ids, `partners` kinds of agencies
    on whose behalf the exchange may call. `scope` is "yot" where a person sees
    only records of the YOTs in which they hold one of `people`; "region" for
    region-wide records; "none" for methods that touch no record of a YOT.
    """

    people: frozenset[str]
    services: frozenset[str]
    partners: frozenset[str]
    command: bool
    scope: RowScope


Policy = Mapping[str, Rule]
"""Rules by method name: short (`RegisterChild`) as services write them, or full."""


def rule(
    *,
    people: Iterable[str] = (),
    services: Iterable[str] = (),
    partners: Iterable[str] = (),
    command: bool = False,
    scope: RowScope = "yot",
) -> Rule:
    """A rule; ValueError for a role, service or agency kind that doesn't exist."""
    made = Rule(frozenset(people), frozenset(services), frozenset(partners), command, scope)
    unknown = (made.people - ALL_ROLES) | (made.services - ALL_SERVICES) | (made.partners - ALL_AGENCY_KINDS)
    if unknown:
        raise ValueError(f"Unknown in a rule: {', '.join(sorted(unknown))}; see ecm.kit.auth.roles.")
    return made


def by_full_name(policy: Policy, services: Sequence[ServiceDescriptor]) -> dict[str, Rule]:
    """The policy by `/package.Service/Method`; ValueError for a rule whose method doesn't exist."""
    full = {method.name: f"/{service.full_name}/{method.name}" for service in services for method in service.methods}
    unknown = [name for name in policy if name not in full and name not in full.values()]
    if unknown:
        raise ValueError(f"Rules for methods that don't exist: {', '.join(sorted(unknown))}.")
    return {full.get(name, name): entry for name, entry in policy.items()}


def unlisted(policy: Policy, services: Sequence[ServiceDescriptor]) -> list[str]:
    """The methods that nobody may call since no rule names them; for a service's test."""
    listed = by_full_name(policy, services)
    full = (f"/{service.full_name}/{method.name}" for service in services for method in service.methods)
    return sorted(name for name in full if name not in listed)


def check(entry: Rule | None, principal: Principal, region: Region) -> Rule:
    """The rule, where it admits the principal; PERMISSION_DENIED otherwise."""
    if entry is None or not _admits(entry, principal, region):
        raise DomainError(
            Reason.PERMISSION_DENIED, "Neither your role, nor your service or agency, may call this method."
        )
    return entry


def _admits(entry: Rule, principal: Principal, region: Region) -> bool:
    match principal.kind:
        case PrincipalKind.PERSON:
            return bool(principal.yots(entry.people))
        case PrincipalKind.SERVICE:
            return principal.client in entry.services
        case PrincipalKind.PARTNER:
            return region.agency_kind(principal.agency) in entry.partners
