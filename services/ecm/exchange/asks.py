"""What is asked of `disclose()`, and what it answers."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

Kind = Literal["read", "vread", "query", "none"]


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What the audit notes of a request: its interaction, its shape without values, HMACs of what it asked for."""

    interaction: str
    shape: str
    asked: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. `none` only writes the audit, with `outcome`."""

    inquiry: Inquiry
    kind: Kind
    type: str = ""
    id: UUID | None = None
    version: str = ""
    sql: str = ""
    args: tuple[str, ...] = ()
    outcome: str = ""

    def document(self, client: str, user: str | None, trace_id: str) -> dict[str, Any]:
        """The JSON object that `disclose()` takes (ecm.exchange.disclose_sql)."""
        common: dict[str, Any] = {
            "client": client,
            "kind": self.kind,
            "interaction": self.inquiry.interaction,
            "shape": self.inquiry.shape,
            "asked": [mac.hex() for mac in self.inquiry.asked],
            "user": user,
            "trace": trace_id,
        }
        match self.kind:
            case "read" | "vread":
                return common | {"type": self.type, "id": str(self.id), "version": self.version}
            case "query":
                return common | {"sql": self.sql, "args": self.args}
            case "none":
                return common | {"outcome": self.outcome}


@dataclass(frozen=True, slots=True)
class Released:
    """One resource that may leave, as the bytes to send."""

    type: str
    id: UUID
    version_id: str
    last_updated: datetime
    body: bytes


@dataclass(slots=True)
class Answer:
    """What one ask was answered. `total` counts all that match, `more` says that a next page has some."""

    outcome: str = "nothing"
    total: int = 0
    more: bool = False
    resources: list[Released] = field(default_factory=list)
