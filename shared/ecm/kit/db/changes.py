"""The thin event that says that a record has a new version."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from ecm.api.common.v1 import record_pb2

Kinds = Mapping[str, tuple[int, type[Message]]]
"""A service's kinds: name without prefix → (value of its RecordKind, message of the content)."""


def change_of(version: int, closed: bool) -> "record_pb2.Change.ValueType":
    """What a version did to its record."""
    if closed:
        return record_pb2.CHANGE_CLOSED
    return record_pb2.CHANGE_CREATED if version == 1 else record_pb2.CHANGE_CHANGED


class RecordEvents:
    """Builds a service's `RecordChanged`: ids, kind, version and change, never content."""

    def __init__(self, kinds: Kinds, record_changed: type[Message]) -> None:
        self.kinds = kinds
        self._record_changed: Any = record_changed

    @property
    def type_name(self) -> str:
        """The full message name: `ce_type`."""
        return str(self._record_changed.DESCRIPTOR.full_name)

    def changed(
        self, kind: str, *, record_id: UUID, child_id: UUID, case_id: UUID | None, version: int, closed: bool
    ) -> Message:
        """The event of one saved version."""
        message: Message = self._record_changed(
            record_id=str(record_id),
            child_id=str(child_id),
            case_id=str(case_id or ""),
            kind=self.kinds[kind][0],
            version=version,
            change=change_of(version, closed),
        )
        return message
