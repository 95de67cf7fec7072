"""Who wrote it: R4's X-Provenance header. https://hl7.org/fhir/R4/provenance.html#header

The author is a practitioner of the region file whom this client may assert.
"""

from collections.abc import Iterator
from typing import Final

from ecm.api.common.v1.actor_pb2 import AssertedPractitioner
from ecm.exchange.intake.context import Writer
from ecm.exchange.intake.elements import Element, invariant
from ecm.exchange.intake.strict_json import parse
from ecm.exchange.mapping.codes import HCPC
from ecm.exchange.mapping.resource import practitioner_reference
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region import Client, Practitioner, Region

HEADER: Final = "x-provenance"
LONGEST_HEADER: Final = 8_192
# Registers as `asserts` of the region file names them.
_REGISTERS: Final = {"hcpc": HCPC}


def asserted(header: str | None, client: Client, region: Region) -> AssertedPractitioner | None:
    """The author in the header; None without one.

    AUTHOR_REQUIRED where it names nobody whom the client may assert; MALFORMED_JSON, INVARIANT for the Provenance.
    """
    if not header:
        return None
    if len(header) > LONGEST_HEADER:
        raise DomainError(Reason.TOO_LARGE, "X-Provenance is longer than 8 KiB.", field="X-Provenance")
    who = _who(Element(parse(header.encode("latin-1")), "X-Provenance"))
    person = next((each for each in _assertable(client) if _is(each, who, region)), None)
    if person is None:
        raise author_required("X-Provenance names nobody whom this client may assert as author.")
    return AssertedPractitioner(
        id=person.id, registration_system=person.registration_system, registration=person.registration
    )


def author_required(message: str) -> DomainError:
    """AUTHOR_REQUIRED."""
    return DomainError(Reason.AUTHOR_REQUIRED, message, field="X-Provenance")


def check_named(root: Element, name: str, writer: Writer) -> None:
    """Whoever the resource itself names as author or performer is the one of X-Provenance, or the agency."""
    for reference in root.each(name, most=5):
        _check_reference(reference, writer)


def check_named_one(root: Element, name: str, writer: Writer) -> None:
    """The same where the element isn't repeated."""
    reference = root.child(name)
    if reference is not None:
        _check_reference(reference, writer)


def _check_reference(reference: Element, writer: Writer) -> None:
    reference.allow("reference", "identifier", "type", "display")
    literal, identifier = reference.text("reference"), reference.child("identifier")
    ours = {writer.organization, writer.practitioner} - {""}
    if literal and not any(literal == own or literal.endswith(f"/{own}") for own in ours):
        raise invariant("It names neither your agency nor the author of X-Provenance.", reference.at("reference"))
    if identifier is not None and not _is_author(identifier, writer):
        raise invariant("It isn't the author of X-Provenance.", reference.at("identifier"))


def _is_author(identifier: Element, writer: Writer) -> bool:
    author = writer.author
    agency = writer.region.agency(writer.agency)
    written = (identifier.text("system"), identifier.text("value"))
    if author is not None and written == (author.registration_system, author.registration):
        return True
    return agency is not None and written[1] == agency.ods


def _who(provenance: Element) -> Element:
    """The one author of the Provenance."""
    if provenance.text("resourceType") != "Provenance":
        raise invariant("It is a Provenance.", provenance.at("resourceType"))
    agents = provenance.each("agent", least=1)
    authors = [agent for agent in agents if "author" in _types(agent)] or agents
    if len(authors) > 1:
        raise invariant("One agent is the author.", provenance.at("agent"))
    return authors[0].required("who")


def _types(agent: Element) -> list[str]:
    kind = agent.child("type")
    return [coding.text("code") for coding in kind.each("coding")] if kind is not None else []


def _assertable(client: Client) -> Iterator[Practitioner]:
    systems = {_REGISTERS.get(register, register) for register in client.asserts}
    return (person for person in client.practitioners if person.registration_system in systems)


def _is(person: Practitioner, who: Element, region: Region) -> bool:
    identifier = who.child("identifier")
    if identifier is not None:
        written = (identifier.text("system"), identifier.text("value"))
        return written == (person.registration_system, person.registration)
    own = practitioner_reference(region.slug, person.registration_system, person.registration)["reference"]
    literal = who.text("reference")
    return bool(literal == own or literal.endswith(f"/{own}"))
