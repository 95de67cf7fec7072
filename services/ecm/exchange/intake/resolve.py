"""Turns what a write refers to into record ids: references, case, invitation, and what is updated."""

from uuid import UUID

from ecm.exchange.disclosure.caller import PartnerCaller
from ecm.exchange.intake.context import Found
from ecm.exchange.intake.elements import Element, Target, invariant
from ecm.exchange.intake.lookup import Look, Lookup
from ecm.exchange.intake.references import Named, Seen, unknown
from ecm.exchange.intake.write_table import Write
from ecm.kit.errors import DomainError, Reason

_CASES = ("ServiceRequest", "EpisodeOfCare")


async def resolve(
    lookup: Lookup,
    caller: PartnerCaller,
    write: Write,
    root: Element,
    *,
    updated: Seen | None = None,
    expected_version: int = 0,
) -> Found:
    """All that the command needs, as the caller sees it at one instant.

    INVARIANT names the reference that leads nowhere: what the caller can't see is told like what doesn't exist.
    """
    named = write.references(root)
    async with lookup.look(caller) as look:
        seen = await look.resources(reference.target for reference in named)
        for reference in named:
            if reference.target not in seen:
                raise unknown(reference)
        child_id = _one_child(named, seen, updated)
        return Found(
            seen=seen,
            case_id=await _case(look, named, seen, child_id, root) if write.needs_case else None,
            invitation_id=await _invitation(look, named, seen),
            updated=updated,
            expected_version=expected_version,
        )


async def target_of(lookup: Lookup, caller: PartnerCaller, target: Target) -> Seen:
    """What is to be updated; NOT_FOUND where the caller sees nothing there."""
    found = await lookup.now(caller, target)
    if found is None:
        raise DomainError(Reason.NOT_FOUND, "Nothing is here for you.")
    return found


def check_match(found: Seen, if_match: str | None) -> None:
    """MISSING_VALUE without If-Match, VERSION_CONFLICT where it names another version than the one served.

    https://hl7.org/fhir/R4/http.html#concurrency
    """
    if not if_match:
        raise DomainError(Reason.MISSING_VALUE, "An update needs If-Match with the ETag as read.", field="If-Match")
    if if_match.strip().removeprefix("W/").strip('"') != found.version_id:
        message = "There is a newer version, or never was this one; read again and repeat the update."
        raise DomainError(Reason.VERSION_CONFLICT, message, field="If-Match")


def check_kind(write: Write, updated: Seen, root: Element) -> None:
    """INVARIANT where the record behind the resource can't become what the update says."""
    if updated.kind not in write.kinds:
        raise invariant(
            "This resource can't be updated to that.", root.at("docStatus" if root.has("docStatus") else "id")
        )


def _one_child(named: list[Named], seen: dict[Target, Seen], updated: Seen | None) -> UUID:
    """Everything that the resource refers to is of one child."""
    children = {updated.child_id} if updated else set()
    for reference in named:
        children.add(seen[reference.target].child_id)
        if len(children) > 1:
            raise invariant("It belongs to another child than what else is referred to.", reference.path)
    if not children:
        raise invariant("It refers to nothing that says whom it is about.", "subject")
    return children.pop()


async def _case(look: Look, named: list[Named], seen: dict[Target, Seen], child_id: UUID, root: Element) -> UUID:
    """The case that is named, else the only one that the caller sees."""
    cases = {seen[reference.target].record_id for reference in named if reference.target.type in _CASES}
    if len(cases) > 1:
        raise invariant("Two cases are named.", root.path)
    found = cases.pop() if cases else await look.only_case(child_id)
    if found is None:
        raise invariant("Name the case by its ServiceRequest; see the guide.", root.path)
    return found


async def _invitation(look: Look, named: list[Named], seen: dict[Target, Seen]) -> UUID | None:
    appointments = [seen[reference.target] for reference in named if reference.target.type == "Appointment"]
    return await look.invitation(appointments[0]) if appointments else None
