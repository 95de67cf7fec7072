"""What a region's databases hold: counted before and after what must store nothing."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from ecm.local.stack import Stack

# Everything that a refused command could leave behind. `idempotency` keeps a refusal by its code and message, and
# `narrowing_intent` only what is recorded.
OWNED = ("record", "record_version", "outbox", "narrowing_intent")
PROJECTED = ("resource", "resource_version", "projected_record", "fetch_queue", "partner_outbox")


def count(stack: Stack, service: str, tables: tuple[str, ...]) -> dict[str, int]:
    """Rows by table."""
    return asyncio.run(_count(stack.database_url(service, "owner"), tables))


@contextmanager
def nothing_stored(stack: Stack, *services: str) -> Iterator[None]:
    """Fails where a service holds more, or less, after the block than before."""
    before = {service: count(stack, service, OWNED) for service in services}
    yield
    assert {service: count(stack, service, OWNED) for service in services} == before


async def _count(url: str, tables: tuple[str, ...]) -> dict[str, int]:
    connection = await asyncpg.connect(url, ssl=False)
    try:
        return {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for name in tables}
    finally:
        await connection.close()
