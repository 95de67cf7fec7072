"""Stand-ins for `referrals` and `consent`: a gRPC server that holds what a test gives it and notes what it hears."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import grpc
from google.protobuf.message import Message

from ecm.api.common.v1.record_pb2 import CHANGE_CHANGED, CHANGE_CREATED, RecordVersion
from ecm.api.common.v1.values_pb2 import Date
from ecm.api.consent.v1 import consent_service_pb2 as consent_pb2
from ecm.api.consent.v1 import consent_service_pb2_grpc as consent_grpc
from ecm.api.referrals.v1 import referrals_records_pb2 as referrals
from ecm.api.referrals.v1 import referrals_service_pb2 as referrals_pb2
from ecm.api.referrals.v1 import referrals_service_pb2_grpc as referrals_grpc


@dataclass
class Others:
    """What the stand-ins have, answer and were told. `away` makes consent unreachable."""

    versions: list[RecordVersion] = field(default_factory=list)
    closed_gates: dict[str, str] = field(default_factory=dict)
    gates: list[consent_pb2.CheckGateRequest] = field(default_factory=list)
    narrowed: list[consent_pb2.NarrowRequest] = field(default_factory=list)
    away: bool = False

    def keep(self, kind: str, content: Message, child_id: UUID, record_id: UUID, yot: str = "eastvale") -> None:
        """Adds the next version of a record."""
        number = 1 + sum(version.record_id == str(record_id) for version in self.versions)
        made = RecordVersion(
            record_id=str(record_id),
            child_id=str(child_id),
            kind=kind,
            version=number,
            change=CHANGE_CREATED if number == 1 else CHANGE_CHANGED,
            recorded_at=datetime.now(UTC),
            yot=yot,
        )
        made.content.Pack(content)
        self.versions.append(made)

    def case(self, state: str = "ACCEPTED", yot: str = "eastvale") -> tuple[UUID, UUID]:
        """(child, case): an invented child with a mother, and a case in that state."""
        child, case = uuid4(), uuid4()
        born = Date(year=2012, month=1, day=17)
        self.keep("CHILD", referrals.Child(given_names=["Joe"], date_of_birth=born, gender=1), child, child, yot)
        mother = referrals.FamilyMember(given_names=["Carol"], relationship=referrals.RELATIONSHIP_MOTHER, gender=2)
        self.keep("FAMILY_MEMBER", mother, child, uuid4(), yot)
        self.move(child, case, state, yot)
        return child, case

    def move(self, child: UUID, case: UUID, state: str, yot: str = "eastvale") -> None:
        """The case in another state."""
        self.keep("CASE", referrals.Case(state=referrals.CaseState.Value(f"CASE_STATE_{state}")), child, case, yot)


class ReferralsDoor(referrals_grpc.ReferralsServiceServicer):
    """`referrals`, as far as it is asked."""

    def __init__(self, others: Others) -> None:
        self._others = others

    async def ListRecordVersions(self, request: Any, _: Any) -> referrals_pb2.ListRecordVersionsResponse:
        found = [v for v in self._others.versions if v.record_id == request.record_id and v.version > request.after]
        return referrals_pb2.ListRecordVersionsResponse(versions=found)

    async def ListChildRecords(self, request: Any, _: Any) -> referrals_pb2.ListChildRecordsResponse:
        newest = {v.record_id: v for v in self._others.versions if v.child_id == request.child_id}
        return referrals_pb2.ListChildRecordsResponse(versions=newest.values())


class ConsentDoor(consent_grpc.ConsentServiceServicer):
    """`consent`, as far as it is asked: every gate is open unless a test closes it for a case."""

    def __init__(self, others: Others) -> None:
        self._others = others

    async def CheckGate(self, request: Any, context: Any) -> consent_pb2.CheckGateResponse:
        await self._answer(context)
        self._others.gates.append(request)
        reason = self._others.closed_gates.get(request.case_id, "")
        return consent_pb2.CheckGateResponse(open=not reason, reason=reason)

    async def Narrow(self, request: Any, context: Any) -> consent_pb2.NarrowResponse:
        await self._answer(context)
        self._others.narrowed.append(request)
        return consent_pb2.NarrowResponse()

    async def _answer(self, context: Any) -> None:
        if self._others.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")


@asynccontextmanager
async def serving(others: Others) -> AsyncIterator[str]:
    """Serves both on one port; yields the address."""
    server = grpc.aio.server()
    referrals_grpc.add_ReferralsServiceServicer_to_server(ReferralsDoor(others), server)
    consent_grpc.add_ConsentServiceServicer_to_server(ConsentDoor(others), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)
