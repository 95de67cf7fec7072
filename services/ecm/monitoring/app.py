"""Builds `monitoring` and runs it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc
import httpx

from ecm.api.monitoring.v1 import monitoring_service_pb2
from ecm.api.monitoring.v1.monitoring_service_pb2_grpc import add_MonitoringServiceServicer_to_server
from ecm.kit.auth.verifier import TokenVerifier
from ecm.kit.bus.consumer import Consumer
from ecm.kit.bus.events import source_of
from ecm.kit.bus.outbox import OutboxRelay
from ecm.kit.bus.producer import make_producer
from ecm.kit.clock import Clock, SystemClock
from ecm.kit.db.engine import make_engine
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.ids import RandomIds
from ecm.kit.metrics import serve_metrics
from ecm.kit.region import Region, load_region
from ecm.kit.rpc.channel import Peer
from ecm.kit.rpc.server import serving, until_signal
from ecm.kit.settings import service_topic
from ecm.kit.telemetry import configure_logging
from ecm.monitoring.consumer import OWNERS, listening
from ecm.monitoring.hearing import Hearing
from ecm.monitoring.owners import PeerOwners
from ecm.monitoring.policy import POLICY
from ecm.monitoring.servicer import MonitoringServicer
from ecm.monitoring.settings import MonitoringSettings
from ecm.monitoring.store import record_events

SERVICES = (monitoring_service_pb2.DESCRIPTOR.services_by_name["MonitoringService"],)


@asynccontextmanager
async def running(settings: MonitoringSettings) -> AsyncIterator[int]:
    """The whole service within the block: gRPC, relay, consumer. Yields the gRPC port."""
    region, clock = load_region(settings.region_file), SystemClock()
    async with AsyncExitStack() as stack:
        engine = make_engine(settings.database_url, pool_size=settings.database_pool_size, app_name=settings.client_id)
        stack.push_async_callback(engine.dispose)
        http = await stack.enter_async_context(httpx.AsyncClient())
        uow = UnitOfWork(engine, clock, RandomIds(), region, record_events())
        hearing = Hearing(uow, await _owners(settings, stack, http, clock))
        await _in_background(stack, _relay(settings, uow, region).run())
        await _in_background(stack, _consumer(settings, uow, region, hearing).run())
        verifier = TokenVerifier(settings.issuer, settings.jwks_url, settings.audience, clock, http)
        servicer = MonitoringServicer(uow, hearing)

        def add(server: grpc.aio.Server) -> None:
            add_MonitoringServiceServicer_to_server(servicer, server)

        yield await stack.enter_async_context(serving(settings, SERVICES, add, POLICY, verifier, region=region))


async def _owners(
    settings: MonitoringSettings, stack: AsyncExitStack, http: httpx.AsyncClient, clock: Clock
) -> PeerOwners:
    peers = [Peer(settings.address_of(name), settings, f"ecm-{name}", http=http, clock=clock) for name in OWNERS]
    for peer in peers:
        stack.push_async_callback(peer.close)
    return PeerOwners(*peers)


def _relay(settings: MonitoringSettings, uow: UnitOfWork, region: Region) -> OutboxRelay:
    return OutboxRelay(
        uow.engine,
        lambda: make_producer(settings),
        service_topic(region.slug, settings.service),
        source_of(region.slug, settings.service),
        listen_url=settings.database_url,
        clock=uow.clock,
    )


def _consumer(settings: MonitoringSettings, uow: UnitOfWork, region: Region, hearing: Hearing) -> Consumer:
    topics = [service_topic(region.slug, owner) for owner in OWNERS]
    return Consumer(settings, topics, settings.client_id, listening(hearing), uow)


async def _in_background(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(work)

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(end)


async def run(settings: MonitoringSettings) -> None:
    """Serves until SIGTERM or SIGINT."""
    async with running(settings):
        await until_signal()


def main() -> None:
    """Entry point `ecm-monitoring`."""
    settings = MonitoringSettings()
    configure_logging(settings.service, settings.log_level)
    serve_metrics(settings.metrics_listen)
    asyncio.run(run(settings))


if __name__ == "__main__":
    main()
