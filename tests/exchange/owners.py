"""The owners of records as they are: each with its tables, its servicer and its policy, in databases of a suite's own.

A test writes versions into them as commands would, and such as no command makes. The exchange fetches them by gRPC.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from importlib import import_module
from inspect import signature
from typing import Any, TypeVar
from uuid import UUID

import httpx
from google.protobuf.message import Message

from ecm.api.common.v1.record_pb2 import RecordVersion
from ecm.exchange.projection.owners import OWNERS, PeerOwners
from ecm.exchange.settings import ExchangeSettings
from ecm.kit.auth.verifier import TokenVerifier
from ecm.kit.clock import SystemClock
from ecm.kit.db.changes import RecordEvents
from ecm.kit.db.engine import make_engine
from ecm.kit.db.records import Record
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.ids import RandomIds
from ecm.kit.names import service_client
from ecm.kit.region import load_region
from ecm.kit.rpc.channel import Peer
from ecm.kit.rpc.server import serving
from ecm.kit.settings import ServiceSettings
from ecm.local.stack import Stack
from exchange.database import fresh_database
from unit.kit.builders import person

NOWHERE = "127.0.0.1:1"
"""Where nobody answers."""

S = TypeVar("S", bound=ServiceSettings)


@dataclass
class Owner:
    """One service: where a test writes, the exchange's way to it, and a way on which nobody answers."""

    tables: UnitOfWork
    peer: Peer
    away: Peer
    changed: type[Message]

    def holding(self, kind: str, content: Message) -> UnitOfWork:
        """The tables, with a kind that holds what the test says, whatever it is."""
        kinds = self.changed.DESCRIPTOR.fields_by_name["kind"].enum_type.values_by_name
        events = RecordEvents({kind: (kinds[f"RECORD_KIND_{kind}"].number, type(content))}, self.changed)
        return UnitOfWork(self.tables.engine, self.tables.clock, self.tables.ids, self.tables.region, events)


@dataclass
class Owners:
    """All of them, as a test fills them. `away`: out of reach."""

    services: Mapping[str, Owner]
    held: dict[UUID, Record[Any]] = field(default_factory=dict)
    service_of: dict[UUID, str] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)

    async def put(
        self, service: str, kind: str, child: UUID, content: Message, record: UUID | None = None, **more: UUID
    ) -> UUID:
        """A new version of the record; returns its id."""
        known = self.held.get(record) if record else None
        # A copy: a test goes on with its own.
        content = deepcopy(content)
        async with self.services[service].holding(kind, content).begin(person()) as tx:
            if known is not None:
                made = await tx.records.update(known, content)
            else:
                of = None if record == child else child
                made = await tx.records.create(kind, content, child_id=of, yot="eastvale", record_id=record, **more)
        self.held[made.record_id], self.service_of[made.record_id] = made, service
        return made.record_id

    async def close(self, record: UUID) -> None:
        """Nothing of the record is to be shown any more."""
        held = self.held[record]
        async with self.services[self.service_of[record]].holding(held.kind, held.content).begin(person()) as tx:
            self.held[record] = await tx.records.close(held, reason="invented")

    async def versions(self, service: str, record_id: UUID, after: int) -> Sequence[RecordVersion]:
        return await self.fetched().versions(service, record_id, after)

    def of_child(self, service: str, child_id: UUID) -> AsyncIterator[RecordVersion]:
        return self.fetched().of_child(service, child_id)

    def fetched(self) -> PeerOwners:
        """As the exchange fetches now."""
        ways = {name: one.away if name in self.away else one.peer for name, one in self.services.items()}
        return PeerOwners(ways)


@asynccontextmanager
async def serving_owners(infrastructure: Stack, suite: str) -> AsyncIterator[dict[str, Owner]]:
    """The four services' reading side in this process, each on a new database called after the suite."""
    async with AsyncExitStack() as stack:
        yield {name: await _serve(stack, infrastructure, name, suite) for name in OWNERS}


async def _serve(stack: AsyncExitStack, infrastructure: Stack, name: str, suite: str) -> Owner:
    urls = await fresh_database(infrastructure, f"ecm_{name}_{suite}", name)
    settings = settings_of(infrastructure, name, ServiceSettings, database_url=urls["app"], listen="127.0.0.1:0")
    engine = make_engine(urls["app"], pool_size=4, app_name=f"test-{suite}-{name}")
    stack.push_async_callback(engine.dispose)
    changed = import_module(f"ecm.api.{name}.v1.{name}_events_pb2").RecordChanged
    region = load_region(settings.region_file)
    tables = UnitOfWork(engine, SystemClock(), RandomIds(), region, RecordEvents({}, changed))
    http = await stack.enter_async_context(httpx.AsyncClient())
    verifier = TokenVerifier(settings.issuer, settings.jwks_url, service_client(name), SystemClock(), http)
    port = await stack.enter_async_context(_reading(settings, name, tables, verifier))
    exchange = settings_of(infrastructure, "exchange", ExchangeSettings)
    peer, away = (Peer(address, exchange, service_client(name)) for address in (f"127.0.0.1:{port}", NOWHERE))
    stack.push_async_callback(peer.close)
    stack.push_async_callback(away.close)
    return Owner(tables, peer, away, changed)


def _reading(settings: ServiceSettings, name: str, tables: UnitOfWork, verifier: TokenVerifier) -> Any:
    """Its server. What its servicer has beside the tables only commands need: there are none here."""
    service = f"{name.capitalize()}Service"
    servicer = getattr(import_module(f"ecm.{name}.servicer"), f"{service}r")
    wire, stubs = (import_module(f"ecm.api.{name}.v1.{name}_service_pb2{end}") for end in ("", "_grpc"))
    made = servicer(tables, *[None] * (len(signature(servicer).parameters) - 1))
    descriptors = (wire.DESCRIPTOR.services_by_name[service],)
    add = getattr(stubs, f"add_{service}Servicer_to_server")
    policy = import_module(f"ecm.{name}.policy").POLICY
    return serving(settings, descriptors, lambda server: add(made, server), policy, verifier, region=tables.region)


def settings_of(infrastructure: Stack, service: str, kind: type[S], **more: str) -> S:
    """The settings that a service is started with, with some in others' place."""
    given = {name.lower().removeprefix("ecm_"): value for name, value in infrastructure.env(service).items()} | more
    return kind(**{name: value for name, value in given.items() if name in kind.model_fields})
