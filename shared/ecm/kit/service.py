"""Builds and runs one service: what every `app.py` would otherwise repeat.

def build(runtime: Runtime) -> Parts:
    commands = Commands(runtime.uow)
    return Parts(lambda server: add_ReferralsServiceServicer_to_server(ReferralsServicer(commands), server))

def main() -> None:
    run_service(ReferralsSettings(), RecordEvents(KINDS, RecordChanged), build, policy=POLICY, descriptors=[SERVICE])
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
import uvloop
from google.protobuf.descriptor import ServiceDescriptor
from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.kit.auth.policy import Rule
from ecm.kit.auth.verifier import TokenVerifier
from ecm.kit.bus.bounds import own_cancellations_only
from ecm.kit.bus.events import source_of
from ecm.kit.bus.outbox import OutboxRelay
from ecm.kit.bus.producer import make_producer
from ecm.kit.bus.topics import service_topic
from ecm.kit.clock import Clock, SystemClock
from ecm.kit.db.changes import RecordEvents
from ecm.kit.db.engine import make_engine
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.ids import Ids, RandomIds
from ecm.kit.metrics import serve_metrics
from ecm.kit.region import Region, RegionError, load_region
from ecm.kit.rpc.channel import Peer
from ecm.kit.rpc.server import AddServicers, PortTakenError, serving, until_signal
from ecm.kit.settings import ServiceSettings
from ecm.kit.telemetry import configure_logging, logger

Background = Callable[[], Awaitable[None]]
"""Work that runs as long as the service does; where it fails, the service ends, and its supervisor restarts it."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a service's parts are built of."""

    settings: ServiceSettings
    region: Region
    clock: Clock
    ids: Ids
    engine: AsyncEngine
    uow: UnitOfWork
    http: httpx.AsyncClient
    verifier: TokenVerifier

    def peer(self, service: str) -> Peer:
        """Another service, by its short name, at the address in the settings. Hand it to `Parts.peers` too."""
        return Peer.of(service, self.settings, http=self.http, clock=self.clock)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a service adds: its servicers, its workers and consumers, and the peers to close at the end."""

    add_servicers: AddServicers
    background: Sequence[Background] = ()
    peers: Sequence[Peer] = ()


Build = Callable[[Runtime], Parts]


def run_service(
    settings: ServiceSettings,
    events: RecordEvents,
    build: Build,
    *,
    policy: Mapping[str, Rule],
    descriptors: Sequence[ServiceDescriptor],
) -> None:
    """Runs a service until SIGTERM or SIGINT. Exit status 1 where it can't start, or a part of it fails."""
    configure_logging(settings.service, settings.log_level)
    try:
        uvloop.run(_run(settings, events, build, policy, descriptors))
    except Exception as error:
        sys.exit("\n".join(_last_words(settings, leaf) for leaf in _leaves(error)))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors themselves, out of the groups that task groups wrap them in."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _last_words(settings: ServiceSettings, error: BaseException) -> str:
    if isinstance(error, RegionError | PortTakenError):
        return f"{settings.client_id}: {error}"
    # Its message may hold a record's values; class and place are enough to find it.
    logger().error("service.failed", exc_info=error)
    return f"{settings.client_id}: failed with {type(error).__name__}; see the log."


async def _run(
    settings: ServiceSettings,
    events: RecordEvents,
    build: Build,
    policy: Mapping[str, Rule],
    descriptors: Sequence[ServiceDescriptor],
) -> None:
    async with runtime_of(settings, events) as runtime:
        parts = build(runtime)
        serve_metrics(settings.metrics_listen)
        async with AsyncExitStack() as stack:
            for peer in parts.peers:
                stack.push_async_callback(peer.close)
            await stack.enter_async_context(_working([_relay(runtime).run, *parts.background]))
            server = serving(
                settings, descriptors, parts.add_servicers, policy, runtime.verifier, region=runtime.region
            )
            await stack.enter_async_context(server)
            await until_signal()


@asynccontextmanager
async def runtime_of(
    settings: ServiceSettings, events: RecordEvents, *, clock: Clock | None = None, ids: Ids | None = None
) -> AsyncIterator[Runtime]:
    """What the settings describe, until the end of the block. RegionError for a faulty region file."""
    time, names = clock or SystemClock(), ids or RandomIds()
    region = load_region(settings.region_file)
    engine = make_engine(settings.database_url, pool_size=settings.database_pool_size, app_name=settings.client_id)
    async with httpx.AsyncClient() as http:
        verifier = TokenVerifier(settings.issuer, settings.jwks_url, settings.audience, time, http)
        uow = UnitOfWork(engine, time, names, region, events)
        try:
            yield Runtime(settings, region, time, names, engine, uow, http, verifier)
        finally:
            await engine.dispose()


@asynccontextmanager
async def _working(background: Sequence[Background]) -> AsyncIterator[None]:
    """Runs the background work during the block; a failure of it ends the block."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_endless(work)) for work in background]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def _endless(work: Background) -> None:
    # A task group takes a task that was cancelled from within for one that has ended well.
    with own_cancellations_only():
        await work()
    raise RuntimeError(f"{getattr(work, '__qualname__', 'background work')} ended, and should run for ever.")


def _relay(runtime: Runtime) -> OutboxRelay:
    settings, slug = runtime.settings, runtime.region.slug
    return OutboxRelay(
        runtime.engine,
        lambda: make_producer(settings),
        service_topic(slug, settings.service),
        source_of(slug, settings.service),
        listen_url=settings.database_url,
        clock=runtime.clock,
    )
