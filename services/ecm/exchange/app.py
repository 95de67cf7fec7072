"""Builds the exchange and runs it: FHIR over HTTP, gRPC, the inward side's workers and the sealer, in one process."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvloop
from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.api.exchange.v1 import exchange_service_pb2
from ecm.api.exchange.v1.exchange_service_pb2_grpc import add_ExchangeServiceServicer_to_server
from ecm.api.referrals.v1.referrals_events_pb2 import RecordChanged
from ecm.exchange.api.application import build_application
from ecm.exchange.api.beats import Beats
from ecm.exchange.api.body import Reading
from ecm.exchange.api.incoming import Api
from ecm.exchange.api.limits import Limits
from ecm.exchange.api.writes import write_handlers
from ecm.exchange.audit.chain import Signer
from ecm.exchange.audit.disclosures import AuditDisclosures
from ecm.exchange.audit.fingerprints import Fingerprints
from ecm.exchange.audit.register import PeerRegister
from ecm.exchange.audit.sealer import Sealer
from ecm.exchange.audit.writers import Writers
from ecm.exchange.http.server import serving_http
from ecm.exchange.inbound import Inbound
from ecm.exchange.keys import ExchangeKeys, load_keys
from ecm.exchange.large import Worker
from ecm.exchange.policy import POLICY
from ecm.exchange.release import Release
from ecm.exchange.search.cursor import Cursors
from ecm.exchange.settings import ExchangeSettings
from ecm.exchange.streams.dataref import find_dataref
from ecm.kit.auth.verifier import TokenVerifier
from ecm.kit.background import beside
from ecm.kit.clock import SystemClock
from ecm.kit.db.changes import RecordEvents
from ecm.kit.db.engine import make_engine, plain
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.ids import RandomIds
from ecm.kit.metrics import serve_metrics
from ecm.kit.region import Region, RegionError, load_region
from ecm.kit.rpc.channel import Peer
from ecm.kit.rpc.server import PortTakenError, serving, until_signal
from ecm.kit.telemetry import configure_logging, logger

SERVICES = (exchange_service_pb2.DESCRIPTOR.services_by_name["ExchangeService"],)


@dataclass(frozen=True, slots=True)
class Foundation:
    """What both sides of the exchange stand on."""

    settings: ExchangeSettings
    region: Region
    keys: ExchangeKeys
    engine: AsyncEngine
    http: httpx.AsyncClient
    clock: SystemClock
    ids: RandomIds
    fingerprints: Fingerprints
    signer: Signer

    def verifier(self, audience: str) -> TokenVerifier:
        """Checks tokens for one audience."""
        settings = self.settings
        return TokenVerifier(settings.issuer, settings.jwks_url, audience, self.clock, self.http)


@asynccontextmanager
async def running(settings: ExchangeSettings) -> AsyncIterator[tuple[int, int]]:
    """The whole exchange within the block; yields the ports of HTTP and gRPC.

    Raises PortTakenError, RegionError, and ValueError for a key file.
    """
    async with AsyncExitStack() as stack:
        base = await _foundation(settings, stack)
        inbound = Inbound.build(
            settings,
            base.engine,
            base.clock,
            base.ids,
            region=base.region,
            keys=base.keys,
            disclosures=_disclosures(base, stack),
        )
        stack.push_async_callback(inbound.close)
        writers = Writers(plain(settings.database_url), base.ids, settings.release_writers)
        await writers.start()
        stack.push_async_callback(writers.stop)
        sealer = Sealer(base.engine, base.signer, settings.checkpoint_dir, base.clock)
        await beside(stack, "sealer", sealer.run(), last=lambda: _finish(sealer))
        await beside(stack, "inbound", inbound.run())
        beats = Beats()
        stack.callback(beats.close)
        reading = Reading(stack.enter_context(Worker()))
        api = _api(base, inbound, writers, beats, reading)
        application = build_application(api, inbound.lease.valid, base.clock.now())
        # HTTP stops first: what was begun is answered while everything behind it still stands.
        grpc_port = await stack.enter_async_context(_grpc(base, inbound))
        http_port = await stack.enter_async_context(
            serving_http(
                application, settings.http_listen, settings.stop_seconds, per_address=settings.address_connections
            )
        )
        yield http_port, grpc_port


async def _foundation(settings: ExchangeSettings, stack: AsyncExitStack) -> Foundation:
    region, keys = load_region(settings.region_file), load_keys(settings)
    engine = make_engine(settings.database_url, pool_size=settings.database_pool_size, app_name=settings.client_id)
    stack.push_async_callback(engine.dispose)
    http = await stack.enter_async_context(httpx.AsyncClient())
    fingerprints, signer = Fingerprints(keys.fingerprint), Signer(keys.signing)
    return Foundation(settings, region, keys, engine, http, SystemClock(), RandomIds(), fingerprints, signer)


def _disclosures(base: Foundation, stack: AsyncExitStack) -> AuditDisclosures:
    settings = base.settings
    referrals = Peer.of("referrals", settings, clock=base.clock)
    stack.push_async_callback(referrals.close)
    register = PeerRegister(referrals, base.region.local_identifier_base)
    # The exchange owns no records; of the unit of work only transactions and scope are used.
    uow = UnitOfWork(base.engine, base.clock, base.ids, base.region, RecordEvents({}, RecordChanged))
    return AuditDisclosures(uow, register, base.fingerprints, signer=base.signer, directory=settings.checkpoint_dir)


def _api(base: Foundation, inbound: Inbound, writers: Writers, beats: Beats, reading: Reading) -> Api:
    return Api(
        base=base.settings.base,
        settings=base.settings,
        region=base.region,
        verifier=base.verifier(base.settings.base),
        release=Release(writers, inbound.lease),
        fingerprints=base.fingerprints,
        cursors=Cursors(base.keys.cursor, base.clock),
        ids=base.ids,
        find_dataref=find_dataref(base.engine),
        beats=beats,
        limits=Limits.of(base.settings, base.region),
        writes=write_handlers(base.engine, base.region, inbound.peers["formulation"], inbound.projection, reading),
    )


@asynccontextmanager
async def _grpc(base: Foundation, inbound: Inbound) -> AsyncIterator[int]:
    def add(server: Any) -> None:
        add_ExchangeServiceServicer_to_server(inbound.servicer, server)

    verifier = base.verifier(base.settings.audience)
    async with serving(base.settings, SERVICES, add, POLICY, verifier, region=base.region) as port:
        yield port


async def _finish(sealer: Sealer) -> None:
    """Seals what came until the end."""
    try:
        async with asyncio.timeout(5):
            await sealer.finish()
    except Exception as error:
        logger().warning("audit.sealer_failed", exc_info=error)


async def _main(settings: ExchangeSettings) -> None:
    async with running(settings):
        await until_signal()


def main() -> None:
    """`ecm-exchange`: serves until SIGTERM or SIGINT."""
    settings = ExchangeSettings()
    configure_logging(settings.service, settings.log_level)
    serve_metrics(settings.metrics_listen)
    try:
        uvloop.run(_main(settings))
    except (PortTakenError, RegionError, ValueError) as error:
        sys.exit(f"ecm-exchange: {error}")


if __name__ == "__main__":
    main()
