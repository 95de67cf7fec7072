"""The events of a topic as a reader has them."""

from faults.concerns import Change, change
from faults.evidence import Evidence, Message

__all__ = ["Change", "change", "firsts"]


def firsts(evidence: Evidence, service: str) -> list[Message]:
    """The topic's events as a reader has them who ignores repetitions."""
    seen: set[str] = set()
    found = []
    for message in evidence.topic(service):
        if message.headers["ce_id"] not in seen:
            seen.add(message.headers["ce_id"])
            found.append(message)
    return found
