"""Who acts: a person of a YOT, a service, or a partner through the exchange."""

from dataclasses import dataclass
from enum import StrEnum

from ecm.api.common.v1.actor_pb2 import Actor
from ecm.kit.auth.claims import Claims
from ecm.kit.auth.roles import ALL_SERVICES, EXCHANGE
from ecm.kit.errors import DomainError, Reason
from ecm.kit.names import service_client
from ecm.kit.region import Region


class PrincipalKind(StrEnum):
    """What sort of principal acts; it decides whether rows are scoped by YOT."""

    PERSON = "person"
    SERVICE = "service"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts, as a token (and, for a partner, the exchange's Actor) says.

    `id` is a person's subject, a service's client id, or a partner's client id.
    """

    kind: PrincipalKind
    id: str
    agency: str = ""
    roles: frozenset[tuple[str, str]] = frozenset()
    client: str = ""
    practitioner: str = ""

    @property
    def key(self) -> str:
        """The principal's name in idempotency keys: kinds never meet."""
        return f"{self.kind}:{self.id}"

    def yots(self, admitted: frozenset[str] | None = None) -> frozenset[str]:
        """The YOTs where the principal holds one of the admitted roles (None: any role)."""
        return frozenset(yot for yot, role in self.roles if admitted is None or role in admitted)


def service_principal(service: str) -> Principal:
    """A service acting on its own account, e.g. in a consumer; `service` is its short name."""
    client = service_client(service)
    return Principal(PrincipalKind.SERVICE, client, agency=client, client=client)


def principal_of(claims: Claims, actor: Actor | None, region: Region) -> Principal:
    """Who acts; PERMISSION_DENIED for a partner's own token, and for an Actor from anybody but the exchange."""
    if actor is not None:
        return _partner(claims, actor, region)
    if claims.azp in ALL_SERVICES:
        return Principal(PrincipalKind.SERVICE, claims.azp, agency=claims.azp, client=claims.azp)
    if region.client(claims.azp) is not None:
        raise DomainError(Reason.PERMISSION_DENIED, "A partner's client acts through the exchange's FHIR API alone.")
    roles = frozenset((pair.yot, pair.role) for pair in claims.ecm_roles)
    return Principal(PrincipalKind.PERSON, claims.sub, agency=claims.ecm_agency, roles=roles, client=claims.azp)


def _partner(claims: Claims, actor: Actor, region: Region) -> Principal:
    if claims.azp != EXCHANGE:
        raise DomainError(Reason.PERMISSION_DENIED, "Only the exchange may act on a partner's behalf (ecm-actor-bin).")
    client = region.client(actor.client)
    if client is None or client.agency != actor.agency:
        raise DomainError(Reason.PERMISSION_DENIED, "The actor's client isn't one of its agency in this region.")
    asserted = actor.practitioner.id if actor.HasField("practitioner") else ""
    if asserted and region.practitioner(client.id, asserted) is None:
        raise DomainError(Reason.PERMISSION_DENIED, "The actor's client may not assert this practitioner.")
    return Principal(PrincipalKind.PARTNER, client.id, agency=client.agency, client=client.id, practitioner=asserted)
