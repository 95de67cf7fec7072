"""Who waits of one agency, for calls of one kind: its clients take turns."""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ecm.exchange.disclosure.asks import Answer


@dataclass(slots=True, eq=False)
class Waiting:
    """One ask, as `disclose()` takes it, and until when (loop time) its answer is waited for."""

    client: str
    document: dict[str, Any]
    answer: "asyncio.Future[Answer]"
    until: float


class Line:
    """In order for each client; a client that asks for much waits behind itself, not the agency's others behind it."""

    def __init__(self) -> None:
        self._by_client: dict[str, deque[Waiting]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Waiting]:
        return (waiting for queue in self._by_client.values() for waiting in queue)

    def append(self, waiting: Waiting) -> None:
        """The last of its client's."""
        self._by_client.setdefault(waiting.client, deque()).append(waiting)
        self._count += 1

    def take(self, most: int) -> list[Waiting]:
        """The next ones, one of each client in turn."""
        taken: list[Waiting] = []
        while self._count and len(taken) < most:
            client = next(iter(self._by_client))
            queue = self._by_client.pop(client)
            taken.append(queue.popleft())
            self._count -= 1
            if queue:
                self._by_client[client] = queue
        return taken
