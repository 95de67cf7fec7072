"""Stand-ins for `referrals` and `formulation`: gRPC servers that hold the versions a test gives them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import grpc
from google.protobuf.message import Message

from ecm.api.common.v1.record_pb2 import CHANGE_CHANGED, CHANGE_CREATED, RecordVersion
from ecm.api.formulation.v1 import formulation_service_pb2 as formulation_pb2
from ecm.api.formulation.v1 import formulation_service_pb2_grpc as formulation_grpc
from ecm.api.formulation.v1.formulation_records_pb2 import Meeting, MeetingState, RecoveryStage
from ecm.api.referrals.v1 import referrals_service_pb2 as referrals_pb2
from ecm.api.referrals.v1 import referrals_service_pb2_grpc as referrals_grpc
from ecm.api.referrals.v1.referrals_records_pb2 import Case, CaseState, CaseStep


class Kept:
    """What an owner has."""

    def __init__(self) -> None:
        self.versions: list[RecordVersion] = []
        self.asked = 0

    def keep(self, kind: str, content: Message, *, child_id: UUID, case_id: UUID | None, **more: Any) -> RecordVersion:
        """Adds a version of a record, the first unless `number` says otherwise."""
        number = more.get("number", 1)
        made = RecordVersion(
            record_id=str(more.get("record_id") or uuid4()),
            child_id=str(child_id),
            case_id=str(case_id or ""),
            kind=kind,
            version=number,
            change=CHANGE_CREATED if number == 1 else CHANGE_CHANGED,
            recorded_at=datetime.now(UTC),
            yot=more.get("yot", "eastvale"),
        )
        made.content.Pack(content)
        self.versions.append(made)
        return made


class Door:
    """Both RPCs that owners offer; not-found as an empty answer is enough here."""

    def __init__(self, kept: Kept, messages: Any) -> None:
        self._kept = kept
        self._messages = messages

    async def ListRecordVersions(self, request: Any, _: Any) -> Any:
        self._kept.asked += 1
        found = [v for v in self._kept.versions if v.record_id == request.record_id and v.version > request.after]
        return self._messages.ListRecordVersionsResponse(versions=found)

    async def ListChildRecords(self, request: Any, _: Any) -> Any:
        found = [version for version in self._kept.versions if version.child_id == request.child_id]
        return self._messages.ListChildRecordsResponse(versions=found)


class ReferralsDoor(Door, referrals_grpc.ReferralsServiceServicer):
    """`referrals`, as far as it is asked."""


class FormulationDoor(Door, formulation_grpc.FormulationServiceServicer):
    """`formulation`, as far as it is asked."""


@asynccontextmanager
async def serving_owners(kept: Kept) -> AsyncIterator[str]:
    """Serves both owners on one port; yields the address."""
    server = grpc.aio.server()
    referrals_grpc.add_ReferralsServiceServicer_to_server(ReferralsDoor(kept, referrals_pb2), server)
    formulation_grpc.add_FormulationServiceServicer_to_server(FormulationDoor(kept, formulation_pb2), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


def noon(day: date) -> datetime:
    """Noon of that day."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def case(*states: str, on: date) -> Case:
    """A case that went through these states, all on one day."""
    steps = []
    for before, after in zip(("UNSPECIFIED", *states), states, strict=False):
        step = CaseStep(to=CaseState.Value(f"CASE_STATE_{after}"), at=noon(on))
        setattr(step, "from", CaseState.Value(f"CASE_STATE_{before}"))
        steps.append(step)
    return Case(steps=steps)


def held_meeting(on: date) -> Meeting:
    """A meeting that was held."""
    return Meeting(state=MeetingState.MEETING_STATE_HELD, starts_at=noon(on))


def placement(stage: int, on: date) -> RecoveryStage:
    """A placement on the recovery model."""
    return RecoveryStage(stage=stage, effective_on={"year": on.year, "month": on.month, "day": on.day})
