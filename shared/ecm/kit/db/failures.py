"""Which failures of the database pass by themselves, and how they are said."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ecm.kit.errors import DomainError, Reason

# https://www.postgresql.org/docs/18/errcodes-appendix.html
_TRANSIENT = frozenset(
    {
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "53300",  # too_many_connections
        "55P03",  # lock_not_available
        "57014",  # query_canceled: statement_timeout
        "57P01",  # admin_shutdown
        "57P02",  # crash_shutdown
        "57P03",  # cannot_connect_now
        "25P03",  # idle_in_transaction_session_timeout
    }
)
_CONNECTION = (ConnectionError, TimeoutError, PoolTimeout, asyncpg.PostgresConnectionError, socket.gaierror)


def sqlstate(error: BaseException) -> str:
    """The SQLSTATE behind the error, or ""."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(origin, "sqlstate", None) or "")


def is_transient(error: BaseException) -> bool:
    """Whether the same transaction may succeed later: the server was away, busy, or somebody held a lock."""
    state = sqlstate(error)
    if state in _TRANSIENT or state.startswith("08"):
        return True
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or is_lost(error.orig)
    return is_lost(error)


def in_domain_words(error: Exception) -> Exception:
    """PEER_UNREACHABLE for a database that is away or busy; any other error as it is."""
    if isinstance(error, DomainError) or not is_transient(error):
        return error
    return DomainError(Reason.PEER_UNREACHABLE, "The database is away or busy; try again.")


@contextmanager
def told_in_domain_words() -> Iterator[None]:
    """Raises PEER_UNREACHABLE where the database is away or busy within the block."""
    try:
        yield
    except Exception as error:
        told = in_domain_words(error)
        if told is error:
            raise
        raise told from error


def is_lost(error: BaseException | None) -> bool:
    """Whether the driver's error says that the connection is gone, or that nobody answers on it."""
    if isinstance(error, asyncpg.InterfaceError):
        # "Connection is closed"; but wrong arguments, which are ValueErrors too, stay wrong.
        return not isinstance(error, ValueError)
    # asyncpg raises a bare OSError where several addresses fail; a missing file's is a subclass.
    return isinstance(error, _CONNECTION) or type(error) is OSError
