"""Which rows somebody may see."""

from dataclasses import dataclass

from ecm.kit.auth.principal import Principal, PrincipalKind
from ecm.kit.call import call_or_none


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows a principal may see: of these YOTs, or all (None)."""

    yots: frozenset[str] | None

    def admits(self, yot: str) -> bool:
        """Whether a record of that YOT may be seen."""
        return self.yots is None or yot in self.yots


UNLIMITED = Scope(None)


def scope_of(principal: Principal) -> Scope:
    """What a principal may see in the call being answered.

    People see the YOTs in which they hold a role that the method admits. For
    services and partners the policy alone decides. Outside of a call (tests,
    workers) a person's every role counts.
    """
    if principal.kind is not PrincipalKind.PERSON:
        return UNLIMITED
    call = call_or_none()
    if call is None:
        return Scope(principal.yots())
    return Scope(principal.yots(call.rule.people)) if call.rule.scope == "yot" else UNLIMITED
