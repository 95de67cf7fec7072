"""A request as the door reads it: its headers are looked up by name, not searched through each time."""

from functools import cached_property

from starlette.datastructures import Headers
from starlette.requests import Request


class _ByName(Headers):
    """Of a header that stands twice the first counts, as in the framework's own."""

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        super().__init__(raw=raw)
        self._by_name = dict(reversed(raw))

    def __getitem__(self, key: str) -> str:
        return self._by_name[key.lower().encode("latin-1")].decode("latin-1")


class PartnerRequest(Request):
    """What handlers are given."""

    @cached_property
    def headers(self) -> Headers:
        """All of them."""
        return _ByName(self.scope["headers"])
