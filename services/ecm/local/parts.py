"""The parts of a running region: how each is started, and when it counts as healthy."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ecm.admin import credentials, databases, kafka_sync
from ecm.admin.names import KAFKA_ADMIN
from ecm.admin.topics import accesses, retentions, topics
from ecm.local import account, binaries, environment, jars, java, kafka, postgres, probes
from ecm.local.names import INFRASTRUCTURE
from ecm.local.paths import StatePaths, default_cache
from ecm.local.plan import Plan
from ecm.local.spawn import Command, start

Report = Callable[[str], None]


class Part(Protocol):
    """One supervised process."""

    @property
    def name(self) -> str:
        """Its name on the command line."""

    @property
    def stop_signal(self) -> signal.Signals:
        """What ends it cleanly."""

    async def start(self, report: Report) -> Process:
        """Make ready whatever it needs, and start it. `report` says what takes long."""

    async def ready(self) -> bool:
        """Whether it answers now."""

    async def settle(self) -> None:
        """Bring it to what the region says, once it is ready. Idempotent."""


@dataclass(frozen=True, slots=True)
class PostgresPart:
    """PostgreSQL: one server, five databases."""

    paths: StatePaths
    plan: Plan
    name: str = "postgres"
    stop_signal: signal.Signals = signal.SIGINT  # "fast": ends sessions, then a checkpoint

    async def start(self, report: Report) -> Process:
        """Initialise the cluster where it is new, then start the server."""
        cluster = self._cluster()
        log = self.paths.log(self.name)
        if not cluster.initialised:
            report("making the database cluster")
        await postgres.initialise(cluster, self._passwords()[credentials.SUPERUSER], log)
        postgres.forget_dead_postmaster(cluster, os.getpid())
        with cluster.reach() as (folder, handles):
            arguments = postgres.server_arguments(cluster, folder)
            return await start(
                Command(
                    arguments,
                    self.plan.settings.get(self.name, {}),
                    account=cluster.account,
                    handles=handles,
                    stop_signal=self.stop_signal,
                ),
                log,
            )

    async def ready(self) -> bool:
        """It takes a connection."""
        return await databases.answers(self.plan.ports["postgres"], self._passwords()[credentials.SUPERUSER])

    async def settle(self) -> None:
        """Databases and roles."""
        await databases.sync(self.plan.ports["postgres"], self._passwords())

    def _cluster(self) -> postgres.Cluster:
        whom = account.unprivileged(self.paths.postgres)
        found = binaries.reachable(whom, self.paths.root / "postgres-binaries.json")
        return postgres.Cluster(self.paths.postgres, found, whom, self.plan.ports["postgres"])

    def _passwords(self) -> dict[str, str]:
        return credentials.passwords(self.paths)["postgres"]


@dataclass(frozen=True, slots=True)
class KafkaPart:
    """Apache Kafka: one KRaft node."""

    paths: StatePaths
    plan: Plan
    name: str = "kafka"
    stop_signal: signal.Signals = signal.SIGTERM

    async def start(self, report: Report) -> Process:
        """Fetch the jars where they are missing, format the storage where it is new, then start the broker."""
        progress = _from_thread(report)
        found = await asyncio.to_thread(jars.ensure, default_cache(), progress)
        broker = kafka.Broker(
            folder=self.paths.kafka,
            java=java.find(),
            jars=found,
            port=self.plan.ports["kafka"],
            controller_port=self.plan.ports["kafka-controller"],
            password=self._passwords()[KAFKA_ADMIN],
            advertised=self.plan.settings.get(self.name, {}).get("advertised", ""),
        )
        kafka.configure(broker)
        await kafka.format_storage(broker, self.paths.log(self.name))
        report("")
        return await start(broker.server(), self.paths.log(self.name))

    async def ready(self) -> bool:
        """Its port is open and it lists its topics to the administrator."""
        if not await probes.listens(self.plan.ports["kafka"]):
            return False
        return await asyncio.to_thread(kafka_sync.answers, self.plan.address("kafka"), self._passwords()[KAFKA_ADMIN])

    async def settle(self) -> None:
        """Topics, credentials, ACLs."""
        region = self.plan.load_region()
        clients = [client.id for client in region.clients if client.topic]
        await asyncio.to_thread(
            kafka_sync.sync,
            self.plan.address("kafka"),
            self._passwords(),
            topics(region.slug, clients),
            accesses(region.slug, clients),
            partitions=region.partitions,
            retentions=retentions(region),
        )

    def _passwords(self) -> dict[str, str]:
        return credentials.passwords(self.paths)["kafka"]


@dataclass(frozen=True, slots=True)
class IssuerPart:
    """The OpenID Connect issuer."""

    paths: StatePaths
    plan: Plan
    name: str = "issuer"
    stop_signal: signal.Signals = signal.SIGTERM

    async def start(self, report: Report) -> Process:
        """Start it."""
        known = (self.paths.root, self.plan.region, self.plan.ports["issuer"], self.plan.fhir_base)
        arguments = [sys.executable, "-m", "ecm.local.issuer", *map(str, known)]
        return await start(Command(arguments, environment.python()), self.paths.log(self.name))

    async def ready(self) -> bool:
        """It publishes its keys."""
        return await probes.http_answers(self.plan.jwks_url)

    async def settle(self) -> None:
        """Nothing: it reads its files at start."""


@dataclass(frozen=True, slots=True)
class ServicePart:
    """One of the five services."""

    paths: StatePaths
    plan: Plan
    name: str
    stop_signal: signal.Signals = signal.SIGTERM

    async def start(self, report: Report) -> Process:
        """Start it with its settings."""
        # The function behind the console script `ecm-<service>`, whether scripts are installed or not.
        arguments = [sys.executable, "-c", f"from ecm.{self.name}.app import main; main()"]
        settings = environment.of_service(self.paths, self.plan, self.name)
        return await start(Command(arguments, settings), self.paths.log(self.name))

    async def ready(self) -> bool:
        """Its gRPC health says SERVING; of the exchange, it has its lease too: before, it answers everybody 503."""
        if not await probes.grpc_serves(self.plan.ports[self.name]):
            return False
        return self.name != "exchange" or await probes.http_answers(
            f"{self.plan.fhir_base.removesuffix('/fhir')}/health/ready"
        )

    async def settle(self) -> None:
        """Nothing: migrations ran before, by the owner role."""


def build(paths: StatePaths, plan: Plan, name: str) -> Part:
    """The part of that name."""
    match name:
        case "postgres":
            return PostgresPart(paths, plan)
        case "kafka":
            return KafkaPart(paths, plan)
        case "issuer":
            return IssuerPart(paths, plan)
    return ServicePart(paths, plan, name)


def infrastructure(plan: Plan) -> list[str]:
    """The parts of this plan that services need, in the order of starting."""
    return [name for name in INFRASTRUCTURE if name in plan.parts]


def _from_thread(report: Report) -> Report:
    """`report`, safe to call from a worker thread."""
    loop = asyncio.get_running_loop()

    def pass_on(message: str) -> None:
        loop.call_soon_threadsafe(report, message)

    return pass_on
