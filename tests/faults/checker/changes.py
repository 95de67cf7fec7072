"""The thin events, read: which record, which version."""

from dataclasses import dataclass
from typing import Any

from ecm.api.consent.v1 import consent_events_pb2
from ecm.api.formulation.v1 import formulation_events_pb2
from ecm.api.monitoring.v1 import monitoring_events_pb2
from ecm.api.referrals.v1 import referrals_events_pb2
from faults.evidence import Evidence, Message

_MODULES: dict[str, Any] = {
    "referrals": referrals_events_pb2,
    "consent": consent_events_pb2,
    "formulation": formulation_events_pb2,
    "monitoring": monitoring_events_pb2,
}


@dataclass(frozen=True, slots=True)
class Change:
    """What an event says."""

    record_id: str
    child_id: str
    version: int


def change(service: str, value: bytes) -> Change:
    """The event in a value."""
    told = _MODULES[service].RecordChanged.FromString(value)
    return Change(told.record_id, told.child_id, told.version)


def firsts(evidence: Evidence, service: str) -> list[Message]:
    """The topic's events as a reader has them who ignores repetitions."""
    seen: set[str] = set()
    found = []
    for message in evidence.topic(service):
        if message.headers["ce_id"] not in seen:
            seen.add(message.headers["ce_id"])
            found.append(message)
    return found
