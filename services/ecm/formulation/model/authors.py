"""Who may write clinically: the psychologist alone (checklist 173, 224, 225)."""

from collections.abc import Iterable

from ecm.api.common.v1.actor_pb2 import AssertedPractitioner
from ecm.api.formulation.v1.formulation_records_pb2 import Invitation
from ecm.formulation.model.roles import PSYCHOLOGY
from ecm.formulation.model.values import not_found
from ecm.kit.auth.principal import Principal
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region import Region

HCPC = "https://fhir.hl7.org.uk/Id/hcpc-number"


def author_of(principal: Principal, region: Region) -> AssertedPractitioner | None:
    """The practitioner whom the partner's client asserts, as the region file has them."""
    person = region.practitioner(principal.client, principal.practitioner)
    if person is None:
        return None
    return AssertedPractitioner(
        id=person.id, registration_system=person.registration_system, registration=person.registration
    )


def clinical_author(principal: Principal, region: Region) -> AssertedPractitioner:
    """An HCPC-registered practitioner (checklist 8). AUTHOR_REQUIRED otherwise."""
    author = author_of(principal, region)
    if author is None or author.registration_system != HCPC or not author.registration:
        message = "A clinical record needs an HCPC-registered author whom the client may assert."
        raise DomainError(Reason.AUTHOR_REQUIRED, message)
    return author


def check_leads(agency: str, invitations: Iterable[Invitation], region: Region, what: str) -> None:
    """The agency is the region's only psychology service, or one that is invited to a meeting of the case.

    NOT_FOUND of `what` otherwise: a service that has nothing to do with the case can't tell that there is one.
    """
    services = [entry.id for entry in region.agencies if entry.kind == PSYCHOLOGY]
    if services != [agency] and agency not in {invitation.agency for invitation in invitations}:
        raise not_found(what)
