"""Builds `consent` and runs it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import grpc
import httpx

from ecm.api.consent.v1 import consent_service_pb2
from ecm.api.consent.v1.consent_service_pb2_grpc import add_ConsentServiceServicer_to_server
from ecm.consent.compiling import recompile_region
from ecm.consent.consumer import OWNERS, concerns, hearing
from ecm.consent.enforcement import Enforcement
from ecm.consent.journal import Journal
from ecm.consent.lapse import Lapse
from ecm.consent.learning import Learning
from ecm.consent.lease import Lease
from ecm.consent.peers import ExchangePeer, Owners
from ecm.consent.policy import POLICY
from ecm.consent.servicer import ConsentServicer
from ecm.consent.settings import ConsentSettings
from ecm.consent.store import agreements, facts, narrowings, sets
from ecm.consent.store.records import EVENTS
from ecm.consent.sweeper import Sweeper
from ecm.kit.auth.principal import service_principal
from ecm.kit.auth.verifier import TokenVerifier
from ecm.kit.background import beside
from ecm.kit.bus.consumer import Consumer
from ecm.kit.bus.events import source_of
from ecm.kit.bus.handling import in_transaction
from ecm.kit.bus.outbox import OutboxRelay
from ecm.kit.bus.producer import make_producer
from ecm.kit.bus.topics import service_topic
from ecm.kit.clock import SystemClock
from ecm.kit.db.engine import make_engine
from ecm.kit.db.scope import UNLIMITED
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.ids import RandomIds
from ecm.kit.metrics import serve_metrics
from ecm.kit.region import RegionError, load_region
from ecm.kit.rpc.channel import Peer
from ecm.kit.rpc.server import serving, until_signal
from ecm.kit.telemetry import configure_logging

SERVICES = (consent_service_pb2.DESCRIPTOR.services_by_name["ConsentService"],)


class RestoredError(Exception):
    """The database lacks narrowings that the journal has: it was restored; the message says what to do."""


@asynccontextmanager
async def running(settings: ConsentSettings) -> AsyncIterator[int]:
    """The whole service within the block: gRPC, relay, consumer, pusher, sweeper. Yields the gRPC port."""
    region, clock = load_region(settings.region_file), SystemClock()
    async with AsyncExitStack() as stack:
        engine = make_engine(settings.database_url, pool_size=settings.database_pool_size, app_name=settings.client_id)
        stack.push_async_callback(engine.dispose)
        http = await stack.enter_async_context(httpx.AsyncClient())
        uow = UnitOfWork(engine, clock, RandomIds(), region, EVENTS)
        journal = Journal(settings.narrowing_journal)
        await prepare(uow, journal)
        peers = {name: await _peer(settings, stack, name, http) for name in ("referrals", "formulation", "exchange")}
        learning = Learning(Owners(peers["referrals"], peers["formulation"]).fetch)
        lapse = Lapse(engine, clock, settings.lease_seconds)
        enforcement = Enforcement(engine, ExchangePeer(peers["exchange"]), journal, lapse)
        await beside(stack, "relay", _relay(settings, uow).run())
        await beside(stack, "consumer", _consumer(settings, uow, learning, enforcement).run())
        await beside(stack, "enforcement", enforcement.worker())
        await beside(stack, "lapse", lapse.worker())
        await beside(stack, "sweeper", Sweeper(uow, enforcement.wake).worker())
        lease = Lease(engine, enforcement, settings.lease_seconds)
        servicer = ConsentServicer(uow, learning, enforcement, lease)

        def add(server: grpc.aio.Server) -> None:
            add_ConsentServiceServicer_to_server(servicer, server)

        verifier = TokenVerifier(settings.issuer, settings.jwks_url, settings.audience, clock, http)
        yield await stack.enter_async_context(serving(settings, SERVICES, add, POLICY, verifier, region=region))


async def prepare(uow: UnitOfWork, journal: Journal) -> None:
    """Before anything is served: the region's set as the region file has it now, and the journal looked through.

    Every child's set is compiled anew soon after; one that stays the same isn't sent.

    RestoredError where the journal has narrowings that the database lacks:
    serving then would bring access back.
    """
    told = list(journal.ids())
    async with uow.begin(service_principal("consent"), scope=UNLIMITED) as tx:
        missing = set(told) - await narrowings.known(tx.conn, told)
        if missing:
            raise RestoredError(
                f"The journal {journal.path} has {len(missing)} narrowings that the database lacks: it was restored "
                "from an older backup. Nothing is served, so that no access comes back. Restore one that is newer "
                'than the last `recorded_at` in the journal; see "After a restore" in docs/administrators.md.'
            )
        await agreements.lock_region(tx)
        await recompile_region(tx)
        # A release whose rules are stricter mustn't leave the sets of the one before in force.
        await sets.queue_all(tx.conn, await facts.children(tx))


async def _peer(settings: ConsentSettings, stack: AsyncExitStack, name: str, http: httpx.AsyncClient) -> Peer:
    peer = Peer.of(name, settings, http=http)
    stack.push_async_callback(peer.close)
    return peer


def _relay(settings: ConsentSettings, uow: UnitOfWork) -> OutboxRelay:
    return OutboxRelay(
        uow.engine,
        lambda: make_producer(settings),
        service_topic(uow.region.slug, settings.service),
        source_of(uow.region.slug, settings.service),
        listen_url=settings.database_url,
        clock=uow.clock,
    )


def _consumer(settings: ConsentSettings, uow: UnitOfWork, learning: Learning, enforcement: Enforcement) -> Consumer:
    topics = [service_topic(uow.region.slug, owner) for owner in OWNERS]
    hear = in_transaction(hearing(learning, enforcement.wake))
    return Consumer(settings, topics, settings.client_id, hear, uow, concerns=concerns)


async def run(settings: ConsentSettings) -> None:
    """Serves until SIGTERM or SIGINT."""
    async with running(settings):
        await until_signal()


def main() -> None:
    """Entry point `ecm-consent`."""
    settings = ConsentSettings()
    configure_logging(settings.service, settings.log_level)
    serve_metrics(settings.metrics_listen)
    try:
        asyncio.run(run(settings))
    except (RegionError, RestoredError) as error:
        sys.exit(f"ecm-consent: {error}")


if __name__ == "__main__":
    main()
