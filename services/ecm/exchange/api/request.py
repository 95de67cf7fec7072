"""A request as the door reads it: its headers are looked up by name, not searched through each time."""

import time
from collections.abc import AsyncGenerator
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Receive, Scope


class _ByName(Headers):
    """Of a header that stands twice the first counts, as in the framework's own."""

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        super().__init__(raw=raw)
        self._by_name = dict(reversed(raw))

    def __getitem__(self, key: str) -> str:
        return self._by_name[key.lower().encode("latin-1")].decode("latin-1")

    def get(self, key: str, default: Any = None) -> Any:
        """The header, as text; most requests lack most of those that are looked for."""
        found = self._by_name.get(key.lower().encode("latin-1"))
        return default if found is None else found.decode("latin-1")


class PartnerRequest(Request):
    """What handlers are given."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__(scope, receive)
        self._by_name = _ByName(scope["headers"])
        # When the work on it began, by `time.monotonic()`.
        self.began = time.monotonic()

    def begin(self) -> None:
        """The work begins now: what came before was up to the client."""
        self.began = time.monotonic()

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body; with its end the work begins."""
        async for chunk in super().stream():
            yield chunk
        self.begin()

    @property
    def headers(self) -> Headers:
        """All of them."""
        return self._by_name
