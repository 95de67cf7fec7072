"""Stand-ins for the services around `consent`: gRPC servers that keep what a test gives them or was sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import grpc
from google.protobuf.message import Message

from ecm.api.common.v1.record_pb2 import CHANGE_CHANGED, CHANGE_CLOSED, CHANGE_CREATED, RecordVersion
from ecm.api.exchange.v1 import exchange_service_pb2 as exchange_pb2
from ecm.api.exchange.v1 import exchange_service_pb2_grpc as exchange_grpc
from ecm.api.formulation.v1 import formulation_service_pb2 as formulation_pb2
from ecm.api.formulation.v1 import formulation_service_pb2_grpc as formulation_grpc
from ecm.api.referrals.v1 import referrals_service_pb2 as referrals_pb2
from ecm.api.referrals.v1 import referrals_service_pb2_grpc as referrals_grpc

Version = tuple[int, int]


class Kept:
    """What the owners have, version by version."""

    def __init__(self) -> None:
        self.versions: list[RecordVersion] = []

    def keep(self, kind: str, record_id: str, content: Message, **more: Any) -> RecordVersion:
        """Adds the record's next version."""
        number = 1 + sum(version.record_id == record_id for version in self.versions)
        change = CHANGE_CREATED if number == 1 else CHANGE_CHANGED
        made = RecordVersion(
            record_id=record_id,
            child_id=more["child_id"],
            case_id=more.get("case_id", ""),
            kind=kind,
            version=number,
            change=CHANGE_CLOSED if more.get("closed") else change,
            recorded_at=datetime.now(UTC),
            yot=more.get("yot", "eastvale"),
        )
        made.content.Pack(content)
        self.versions.append(made)
        return made


class Door:
    """The RPC by which owners are asked."""

    def __init__(self, kept: Kept, messages: Any) -> None:
        self._kept = kept
        self._messages = messages

    async def ListRecordVersions(self, request: Any, _: Any) -> Any:
        found = [v for v in self._kept.versions if v.record_id == request.record_id and v.version > request.after]
        return self._messages.ListRecordVersionsResponse(versions=found)


class ReferralsDoor(Door, referrals_grpc.ReferralsServiceServicer):
    """`referrals`, as far as it is asked."""


class FormulationDoor(Door, formulation_grpc.FormulationServiceServicer):
    """`formulation`, as far as it is asked."""


class Exchange(exchange_grpc.ExchangeServiceServicer):
    """`exchange`, as far as sets are sent to it: replaces what it has, ignores lower versions. `away`: it fails.

    `refuses`: the child whose sets alone it fails to apply.
    """

    def __init__(self) -> None:
        self.sets: dict[str, exchange_pb2.ApplyGrantsRequest] = {}
        self.region = exchange_pb2.ApplyRegionRequest()
        self.incarnation = str(uuid4())
        self.away = False
        self.refuses = ""
        self.applied = 0

    async def ApplyGrants(self, request: Any, context: Any) -> Any:
        await self._may_fail(context)
        if request.child_id == self.refuses:
            await context.abort(grpc.StatusCode.INTERNAL, "this one can't be applied")
        had = self.sets.get(request.child_id)
        if had is None or _version(had) < _version(request):
            self.sets[request.child_id] = request
            self.applied += 1
        return self._answer(exchange_pb2.ApplyGrantsResponse, self.sets[request.child_id])

    async def ApplyRegion(self, request: Any, context: Any) -> Any:
        await self._may_fail(context)
        if _version(self.region) < _version(request):
            self.region = request
        return self._answer(exchange_pb2.ApplyRegionResponse, self.region)

    @property
    def highest(self) -> Version:
        """The highest version that this database has."""
        return max([_version(self.region), *map(_version, self.sets.values())])

    def restore(self) -> None:
        """An empty database of another incarnation."""
        self.sets.clear()
        self.region = exchange_pb2.ApplyRegionRequest()
        self.incarnation = str(uuid4())

    async def until(self, child_id: str, condition: Any, seconds: float = 8.0) -> exchange_pb2.ApplyGrantsRequest:
        """The child's set once it fulfils the condition."""
        async with asyncio.timeout(seconds):
            while child_id not in self.sets or not condition(self.sets[child_id]):  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.02)
        return self.sets[child_id]

    async def _may_fail(self, context: Any) -> None:
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")

    def _answer(self, kind: Any, had: Any) -> Any:
        made = kind(epoch=had.epoch, version=had.version, incarnation=self.incarnation)
        made.enforced_at.FromDatetime(datetime.now(UTC))
        return made


@asynccontextmanager
async def serving(kept: Kept, exchange: Exchange) -> AsyncIterator[str]:
    """Serves all three on one port; yields the address."""
    server = grpc.aio.server()
    referrals_grpc.add_ReferralsServiceServicer_to_server(ReferralsDoor(kept, referrals_pb2), server)
    formulation_grpc.add_FormulationServiceServicer_to_server(FormulationDoor(kept, formulation_pb2), server)
    exchange_grpc.add_ExchangeServiceServicer_to_server(exchange, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


def _version(held: Any) -> Version:
    return held.epoch, held.version
