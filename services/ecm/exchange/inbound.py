"""Puts the inward side together: what comes in from the services, and what goes out to partners' topics."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.api.referrals.v1.referrals_events_pb2 import RecordChanged
from ecm.exchange.consumer import make_consumer
from ecm.exchange.grants import Grants
from ecm.exchange.keys import ExchangeKeys
from ecm.exchange.lease import Lease
from ecm.exchange.projection.attention import CHANNEL as CHILDREN
from ecm.exchange.projection.directory import mapping_context, publish_directory
from ecm.exchange.projection.owners import OWNERS, PeerOwners
from ecm.exchange.projection.project import Projection
from ecm.exchange.projection.worker import ChildWorker
from ecm.exchange.servicer import Disclosures, ExchangeServicer
from ecm.exchange.settings import ExchangeSettings
from ecm.exchange.streams.numbering import CHANNEL as EVENTS
from ecm.exchange.streams.numbering import Numbering
from ecm.exchange.streams.reconcile import Reconciliation
from ecm.exchange.streams.relay import PartnerRelay
from ecm.kit.bus.consumer import Consumer
from ecm.kit.bus.producer import make_producer
from ecm.kit.clock import Clock
from ecm.kit.db.changes import RecordEvents
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.db.worker import Worker
from ecm.kit.ids import Ids
from ecm.kit.region import Region
from ecm.kit.rpc.channel import Peer

HEARTBEAT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Inbound:
    """The inward side of one exchange process."""

    servicer: ExchangeServicer
    lease: Lease
    projection: Projection
    peers: Mapping[str, Peer]
    consumer: Consumer
    children: Worker
    relay: PartnerRelay
    events: Worker
    engine: AsyncEngine
    region: Region
    ids: Ids

    @classmethod
    def build(
        cls,
        settings: ExchangeSettings,
        engine: AsyncEngine,
        clock: Clock,
        ids: Ids,
        *,
        region: Region,
        keys: ExchangeKeys,
        disclosures: Disclosures,
    ) -> "Inbound":
        """All of it, not yet running; connects to nothing."""
        peers = {name: Peer.of(name, settings, clock=clock) for name in OWNERS}
        lease = Lease(engine, peers["consent"], clock, ids, settings.lease_seconds)
        numbering = Numbering(ids, keys.pseudonym)
        reconciliation = Reconciliation(engine, numbering, lease)
        projection = Projection(engine, PeerOwners(peers), mapping_context(region), ids)
        # The exchange owns no records; the unit of work gives consumers their transactions.
        uow = UnitOfWork(engine, clock, ids, region, RecordEvents({}, RecordChanged))
        relay = PartnerRelay(
            engine,
            lambda: make_producer(settings),
            numbering,
            region=region.slug,
            fhir_base=settings.base,
            clock=clock,
            heartbeat_seconds=getattr(settings, "heartbeat_seconds", HEARTBEAT_SECONDS),
        )
        url = settings.database_url
        return cls(
            servicer=ExchangeServicer(engine, Grants(engine, clock, reconciliation), disclosures),
            lease=lease,
            projection=projection,
            peers=peers,
            consumer=make_consumer(settings, region.slug, uow, projection),
            children=Worker(
                "ecm-worker:children", url, CHILDREN, ChildWorker(engine, projection, reconciliation, clock).work
            ),
            relay=relay,
            events=Worker("ecm-worker:partner-events", url, EVENTS, relay.work),
            engine=engine,
            region=region,
            ids=ids,
        )

    async def run(self) -> None:
        """Publishes the directory, then follows, looks after children, relays and renews until cancelled."""
        await publish_directory(self.engine, self.region, self.ids)
        async with asyncio.TaskGroup() as group:
            for part in (self.lease, self.consumer, self.children, self.events):
                group.create_task(part.run())

    async def close(self) -> None:
        """Ends connections and producers, bounded."""
        await self.relay.close()
        for peer in self.peers.values():
            await peer.close()
