"""The connection pool of one service."""

from typing import Any

from pydantic import SecretStr
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

STATEMENT_SECONDS = 10
LOCK_SECONDS = 5
IDLE_IN_TRANSACTION_SECONDS = 30
CONNECT_SECONDS = 5.0
POOL_WAIT_SECONDS = 5.0
# Past the server's own bounds: who isn't answered then has a connection whose other end is gone without a word.
ANSWER_SECONDS = 12.0


def plain(url: str | SecretStr) -> str:
    """The URL's text, out of its secret."""
    return url.get_secret_value() if isinstance(url, SecretStr) else url


def driver_url(url: str | SecretStr | URL) -> URL:
    """A `postgresql://` URL with the asyncpg driver."""
    found = url if isinstance(url, URL) else make_url(plain(url))
    return found.set(drivername="postgresql+asyncpg")


def make_engine(
    url: str | SecretStr | URL, *, pool_size: int = 5, app_name: str, answer_seconds: float = ANSWER_SECONDS
) -> AsyncEngine:
    """An engine whose every wait is bounded: connect, pool, statement, lock, idle transaction, answer.

    Whoever isn't answered within `answer_seconds` has TimeoutError, and all connections are made anew.
    """
    bounds = {
        "application_name": app_name,
        "statement_timeout": f"{STATEMENT_SECONDS}s",
        "lock_timeout": f"{LOCK_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_SECONDS}s",
        "timezone": "UTC",
        # The planner would look anew at every call whose arrays it knows, and takes longer than most statements do.
        "plan_cache_mode": "force_generic_plan",
    }
    engine = create_async_engine(
        driver_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        # A message of the driver may quote a statement's values.
        hide_parameters=True,
        connect_args={
            "server_settings": bounds,
            "timeout": CONNECT_SECONDS,
            "command_timeout": answer_seconds,
            "ssl": None,
        },
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    event.listen(engine.sync_engine, "handle_error", _not_answered)
    return engine


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
    """A connection that the server has ended is replaced, and all of its age with it, before a command meets it.

    The driver knows: SQLAlchemy's `pool_pre_ping` would ask the server, three round trips a transaction.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError("The server has closed this connection.")


def _not_answered(context: Any) -> None:
    # Else a rollback would follow on the same connection, and wait as long again.
    if isinstance(context.original_exception, TimeoutError):
        context.is_disconnect = True
