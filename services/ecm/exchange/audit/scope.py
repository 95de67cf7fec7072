"""Which children a caller may ask about: those of the YOTs in which they hold a role that the method admits."""

import re
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ecm.exchange.tables import projected_child
from ecm.kit.db.uow import Scope
from ecm.kit.errors import DomainError, Reason

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


async def require_child(conn: AsyncConnection, child: UUID, scope: Scope) -> None:
    """NOT_FOUND for a child of another YOT. One of whom nothing is held has nothing to tell, but attempts."""
    query = select(projected_child.c.yot).where(projected_child.c.child_id == child)
    yot = (await conn.execute(query)).scalar()
    if yot is not None and not scope.admits(yot):
        raise DomainError(Reason.NOT_FOUND, "There is no child with this id.")


async def in_scope(conn: AsyncConnection, children: list[UUID], scope: Scope) -> set[UUID]:
    """Those of the children that the caller may ask about."""
    query = select(projected_child.c.child_id, projected_child.c.yot).where(projected_child.c.child_id.in_(children))
    return {row.child_id for row in await conn.execute(query) if scope.admits(row.yot)}


def check_text(field: str, *values: str) -> None:
    """INVALID_VALUE for control characters, which the database can't hold and nobody writes."""
    if any(_CONTROL.search(value) for value in values):
        raise DomainError(Reason.INVALID_VALUE, f"{field} holds control characters.", field=field)
