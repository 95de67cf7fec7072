"""What is asked of `disclose()`, and what it answers."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

Kind = Literal["read", "none", "version", "again", "reference", "token", "everything", "query"]
"""What `disclose()` is asked for (ecm.exchange.disclosure.disclose_sql)."""
_TOGETHER: dict[Kind, Kind] = {"none": "read", "again": "version"}


def together(kind: Kind) -> Kind:
    """The kind whose asks may go in the same call."""
    return _TOGETHER.get(kind, kind)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What the audit notes of a request: its interaction, its shape without values, HMACs of what it asked for."""

    interaction: str
    shape: str
    asked: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """What a search is after: its kind and arguments, and which page of it. Of a `query`, as SQL: `driver`, by which
    candidates are found, and `condition`, which those must meet that may be seen.
    """

    kind: Kind
    args: tuple[str | None, ...]
    driver: str = ""
    condition: str = "true"
    # (type, id) behind which the page begins.
    after: tuple[str, str] | None = None
    limit: int = 0
    # Whether all that match are counted.
    total: bool = True


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. `none` only writes the audit, with `outcome`."""

    inquiry: Inquiry
    kind: Kind
    type: str = ""
    id: UUID | None = None
    page: Page | None = None
    outcome: str = ""

    @classmethod
    def search(cls, inquiry: Inquiry, page: Page) -> "Ask":
        """Asks for a page."""
        return cls(inquiry, page.kind, page=page)

    def document(self, client: str, user: str | None, trace_id: str) -> dict[str, Any]:
        """The JSON object that `disclose()` takes (ecm.exchange.disclosure.disclose_sql)."""
        made: dict[str, Any] = {
            "client": client,
            "kind": self.kind,
            "interaction": self.inquiry.interaction,
            "shape": self.inquiry.shape,
            "asked": ["\\x" + mac.hex() for mac in self.inquiry.asked],
            "user": user,
            "trace": trace_id,
        }
        if self.page is not None:
            return made | _page(self.page)
        if self.kind == "none":
            return made | {"outcome": self.outcome}
        return made | {"type": self.type, "id": str(self.id)}


def _page(page: Page) -> dict[str, Any]:
    key, behind = page.after or (None, None)
    made = {"args": page.args, "after_key": key, "after_id": behind, "limit": page.limit, "total": page.total}
    return made | {"driver": page.driver, "condition": page.condition} if page.driver else made


class Released(NamedTuple):
    """One resource that may leave, as the bytes to send; `name` is type/id/version."""

    name: str
    body: bytes

    @property
    def reference(self) -> str:
        """type/id."""
        return self.name.rpartition("/")[0]

    @property
    def type(self) -> str:
        """The resource's type."""
        return self.name.partition("/")[0]

    @property
    def id(self) -> str:
        """Its FHIR id."""
        return self.name.split("/")[1]

    @property
    def version_id(self) -> str:
        """The version's id."""
        return self.name.rpartition("/")[2]


@dataclass(slots=True)
class Answer:
    """What one ask was answered. `total` counts all that match, `more` says that a next page has some.

    `last_updated` is told of a resource that was asked for by its id.
    """

    outcome: str = "nothing"
    total: int = 0
    more: bool = False
    last_updated: datetime | None = None
    resources: list[Released] = field(default_factory=list)
