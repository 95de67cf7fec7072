"""A partner's event: a CloudEvent in binary mode that says nothing but where to fetch.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson

AVAILABLE: Final = "available"
CHANGED: Final = "changed"
UNAVAILABLE: Final = "unavailable"
HEARTBEAT: Final = "heartbeat"

# Reverse of the host of the product's canonical base.
TYPES: Final = {
    AVAILABLE: "example.ecm-exchange.resource.available",
    CHANGED: "example.ecm-exchange.resource.changed",
    UNAVAILABLE: "example.ecm-exchange.resource.unavailable",
    HEARTBEAT: "example.ecm-exchange.topic.heartbeat",
}

Headers = list[tuple[str, bytes]]


def pseudonym(key: bytes, client: str, child_id: UUID) -> str:
    """The child's name on one client's topic: no two clients have the same, none leads back without the key."""
    mac = hmac.new(key, f"{client}|{child_id}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class PartnerEvent:
    """A numbered event. `dataref` is "" for a heartbeat; `key` then names no child."""

    id: UUID
    kind: str
    time: datetime
    key: str
    dataref: str
    generation: UUID
    sequence: int

    def body(self) -> bytes:
        """The small JSON body, the same shape for every kind."""
        numbers = {"generation": str(self.generation), "sequence": self.sequence}
        return orjson.dumps(({"dataref": self.dataref} if self.dataref else {}) | numbers)

    def headers(self, region: str, traceparent: str) -> Headers:
        """CloudEvents' headers; the trace starts anew, so that none of ours can be followed."""
        values = {
            "ce_specversion": "1.0",
            "ce_id": str(self.id),
            "ce_type": TYPES[self.kind],
            "ce_source": f"/{region}/exchange",
            "ce_time": self.time.isoformat(),
            "ce_subject": self.key,
            "content-type": "application/json",
            "traceparent": traceparent,
        }
        if self.dataref:
            values["ce_dataref"] = self.dataref
        return [(name, value.encode()) for name, value in values.items()]
