"""Which failures pass by themselves: what is ours to fix must not be retried for ever."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ecm.kit.bus.handling import passes_by_itself
from ecm.kit.bus.producer import SendFailedError
from ecm.kit.db.failures import is_transient
from ecm.kit.errors import DomainError, Reason


class OrigError(Exception):
    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


def dbapi(sqlstate: str, *, lost: bool = False) -> DBAPIError:
    return DBAPIError("SELECT 1", {}, OrigError(sqlstate), connection_invalidated=lost)


PASSING = [
    ConnectionRefusedError(),
    ConnectionResetError(),
    TimeoutError(),
    OSError("Multiple exceptions: [Errno 111]"),
    PoolTimeout(),
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.CannotConnectNowError(),
    dbapi("40P01"),
    dbapi("55P03"),
    dbapi("57014"),
    dbapi("08006"),
    dbapi("", lost=True),
    DomainError(Reason.PEER_UNREACHABLE, ""),
    DomainError(Reason.LEASE_EXPIRED, ""),
    SendFailedError(),
]
STAYING = [
    FileNotFoundError(), PermissionError(), ValueError(), KeyError(), dbapi("23505"), dbapi("42P01"),
    IntegrityError("INSERT", {}, OrigError("23505")), asyncpg.UniqueViolationError(), DomainError(Reason.NOT_FOUND, ""),
    DomainError(Reason.INTERNAL, ""), asyncpg.exceptions._base.DataError("invalid input"),
]  # fmt: skip


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_passing(error: Exception) -> None:
    assert passes_by_itself(error)


@pytest.mark.parametrize("error", STAYING, ids=repr)
def test_staying(error: Exception) -> None:
    assert not passes_by_itself(error) and not is_transient(error)
