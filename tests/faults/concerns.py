"""The thin events, read; and which of them each consumer has a use for: those must be in its inbox."""

from dataclasses import dataclass
from typing import Any

from ecm.api.consent.v1 import consent_events_pb2
from ecm.api.formulation.v1 import formulation_events_pb2
from ecm.api.monitoring.v1 import monitoring_events_pb2
from ecm.api.referrals.v1 import referrals_events_pb2

_MODULES: dict[str, Any] = {
    "referrals": referrals_events_pb2,
    "consent": consent_events_pb2,
    "formulation": formulation_events_pb2,
    "monitoring": monitoring_events_pb2,
}
# Consumer → source → kinds of record; the rest is passed over. The exchange has a use for all that are a child's.
CONCERNED: dict[str, dict[str, frozenset[str]]] = {
    "referrals": {"formulation": frozenset({"MEETING", "REPORT_DRAFT", "REPORT"}), "consent": frozenset({"CONSENT"})},
    "consent": {
        "referrals": frozenset({"CHILD", "CASE"}),
        "formulation": frozenset({"MEETING", "INVITATION", "CONTRIBUTION", "REPORT"}),
    },
    "formulation": {"referrals": frozenset({"CASE"})},
    "monitoring": {
        "referrals": frozenset({"CASE"}),
        "formulation": frozenset({"MEETING", "REPORT_DRAFT", "RECOVERY_STAGE"}),
    },
}
OF_NO_CHILD = frozenset({"AGREEMENT", "OVERRIDE", "CASELOAD"})


@dataclass(frozen=True, slots=True)
class Change:
    """What an event says."""

    kind: str
    record_id: str
    child_id: str
    version: int


def change(service: str, value: bytes) -> Change:
    """The event in a value."""
    module = _MODULES[service]
    told = module.RecordChanged.FromString(value)
    kind = module.RecordKind.Name(told.kind).removeprefix("RECORD_KIND_")
    return Change(kind, told.record_id, told.child_id, told.version)


def concerns(consumer: str, source: str, value: bytes) -> bool:
    """Whether the consumer has a use for the source's event."""
    kind = change(source, value).kind
    if consumer == "exchange":
        return kind not in OF_NO_CHILD
    return kind in CONCERNED[consumer].get(source, frozenset())
