"""All HTTP connections: how many one address may have, and which keep us waiting for too long."""

import asyncio
from collections import Counter
from typing import Any, Final

from ecm.exchange.http.connection import Connection
from ecm.kit.metrics import HTTP_TURNED_AWAY
from ecm.kit.telemetry import logger

LOOK_SECONDS: Final = 0.25
_CONNECTIONS = HTTP_TURNED_AWAY.labels("connections")


class Connections:
    """All that are open. `per_address` 0 is no limit, e.g. where a proxy stands before the exchange."""

    def __init__(self, per_address: int) -> None:
        self._most = per_address
        self._by_address: Counter[str] = Counter()
        self._open: set[Connection] = set()

    def protocol(self, **given: Any) -> Connection:
        """A connection, as uvicorn makes them."""
        return Connection(self, **given)

    def enter(self, connection: Connection, address: str) -> bool:
        """Whether it may stay: not where it is one more than its address may have."""
        if self._most and self._by_address[address] >= self._most:
            _CONNECTIONS.inc()
            return False
        self._by_address[address] += 1
        self._open.add(connection)
        return True

    def leave(self, connection: Connection, address: str) -> None:
        """It is closed."""
        if connection in self._open:
            self._open.remove(connection)
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    async def watch(self) -> None:
        """Ends those that keep us waiting, until cancelled: one timer for all."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for connection in tuple(self._open):
                try:
                    connection.check()
                except Exception as error:
                    # All bounds hang on this: one connection's fault doesn't end it.
                    logger().error("http.watch_failed", exc_info=error)
