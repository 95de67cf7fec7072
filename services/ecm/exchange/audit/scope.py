"""Which children a caller may ask about: those of the YOTs in which they hold a role that the method admits."""

import re
from uuid import UUID

from ecm.exchange.audit.register import Register, Registered
from ecm.kit.db.scope import Scope
from ecm.kit.errors import DomainError, Reason

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


async def require_child(register: Register, child: UUID, scope: Scope) -> Registered:
    """The child's file; NOT_FOUND, in the same words, where there is none and where it is another YOT's."""
    found = await register.child(child)
    if found is None or not scope.admits(found.yot):
        raise DomainError(Reason.NOT_FOUND, "There is no child with this id.")
    return found


async def in_scope(register: Register, system: str, value: str, scope: Scope) -> list[Registered]:
    """The children with the identifier whom the caller may ask about."""
    return [found for found in await register.named(system, value) if scope.admits(found.yot)]


def check_text(field: str, *values: str) -> None:
    """INVALID_VALUE for control characters, which the database can't hold and nobody writes."""
    if any(_CONTROL.search(value) for value in values):
        raise DomainError(Reason.INVALID_VALUE, f"{field} holds control characters.", field=field)
