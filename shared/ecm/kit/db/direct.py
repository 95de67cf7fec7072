"""Statements of the busiest ways, run on the driver itself: SQLAlchemy's part costs as much CPU again as asyncpg's."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from sqlalchemy import ClauseElement, text
from sqlalchemy.dialects.postgresql import asyncpg as driver
from sqlalchemy.ext.asyncio import AsyncConnection

from ecm.kit.db.failures import is_lost

if TYPE_CHECKING:
    Driver = asyncpg.Connection[Any]

_DIALECT: Final[Any] = driver.dialect()  # type: ignore[no-untyped-call]
Values = Mapping[str, Any]


class Row(asyncpg.Record):
    """A row whose columns are attributes, as SQLAlchemy's are."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Direct:
    """A statement with named values, put together once; values go to the driver as they are.

    It belongs to the connection's transaction. The first of a transaction goes by SQLAlchemy, which begins it.
    """

    def __init__(self, statement: str | ClauseElement) -> None:
        self._statement: Any = text(statement) if isinstance(statement, str) else statement

    async def all(self, conn: AsyncConnection, values: Values) -> Sequence[Any]:
        """The rows that it returns."""
        opened = _opened(conn)
        if opened is None:
            return (await conn.execute(self._statement, dict(values))).all()
        rows: Sequence[Any] = await self._on(conn, opened, partial(opened.fetch, record_class=Row), values)
        return rows

    async def first(self, conn: AsyncConnection, values: Values) -> Any:
        """The first row, if any."""
        rows = await self.all(conn, values)
        return rows[0] if rows else None

    async def run(self, conn: AsyncConnection, values: Values) -> int:
        """Does it; returns how many rows it wrote."""
        opened = _opened(conn)
        if opened is None:
            return (await conn.execute(self._statement, dict(values))).rowcount
        done: str = await self._on(conn, opened, opened.execute, values)
        return int(done.rpartition(" ")[2])

    async def _on(
        self, conn: AsyncConnection, opened: "Driver", do: Callable[..., Awaitable[Any]], values: Values
    ) -> Any:
        sql, names, fixed = self._compiled
        given = {**fixed, **values}
        try:
            return await do(sql, *[given[name] for name in names])
        except BaseException as error:
            await _end(conn, opened, error)
            raise

    @cached_property
    def _compiled(self) -> tuple[str, Sequence[str], Values]:
        """With `$1`; the names of the values in that order; and those values that the statement has itself."""
        compiled = self._statement.compile(dialect=_DIALECT)
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        return str(compiled), list(compiled.positiontup or ()), fixed


def _opened(conn: AsyncConnection) -> "Driver | None":
    """The driver's connection, where it is in the transaction that the statement belongs to, or in none on purpose."""
    sync = conn.sync_connection
    if sync is None:
        return None
    opened: Driver | None = sync.connection.driver_connection
    alone = sync.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
    return opened if opened is not None and (alone or opened.is_in_transaction()) else None


async def _end(conn: AsyncConnection, opened: "Driver", error: BaseException) -> None:
    """What isn't answered may never be: else a rollback would follow on the same connection, and wait as long again."""
    if not isinstance(error, Exception):
        # Cancelled: as SQLAlchemy ends its own, which tells the server, bounded; no rollback follows.
        await conn.invalidate(error)
    elif is_lost(error):
        opened.terminate()
