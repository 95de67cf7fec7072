"""The region of a run: every link that matters through a proxy, several exchange workers, a clock for each process."""

import signal
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
import psutil

from barrier.checker import Handed
from barrier.clocks import Clocks
from barrier.sql import Database
from barrier.workers import ExchangeWorker, family
from ecm.admin import credentials
from ecm.admin.names import app_role
from ecm.admin.region import read_region
from ecm.local.paths import StatePaths, default_region
from ecm.local.ports import free_ports
from ecm.local.stack import Stack
from faulting.issuer import through_to_issuer
from faulting.proxy import Proxy

LEASE_SECONDS = 3.0
INSIDE = Path(__file__).with_name("inside")
PAIR = struct.Struct("<dd")
LINKS = ("consent>exchange", "consent>database", "consent>issuer")
OF_A_WORKER = ("consent", "database", "issuer")


@dataclass(slots=True)
class Ground:
    """What readers, changes and faults stand on. `workers`: name → where its FHIR API is served."""

    stack: Stack
    folder: Path
    clocks: Clocks
    links: dict[str, Proxy]
    others: dict[str, ExchangeWorker]
    workers: dict[str, str]
    grpc: list[str]
    databases: dict[str, Database] = field(default_factory=dict)

    def database(self, service: str) -> Database:
        """A service's database, as its owner."""
        if service not in self.databases:
            self.databases[service] = Database(self.stack.database_url(service, "owner"))  # type: ignore[arg-type]
        return self.databases[service]

    def signal(self, name: str, number: signal.Signals) -> bool:
        """To a process by name, the whole family of the database; False where it doesn't run."""
        if name in self.others:
            return self.others[name].send(number)
        part = self.stack.state.parts.get(name)
        if part is None or part.process is None or not part.process.identity.alive():
            return False
        members = family(part.process.pid) if name == "postgres" else family(part.process.pid)[:1]
        for member in members:
            try:
                member.send_signal(number)
            except psutil.NoSuchProcess:
                continue
        return bool(members)

    @contextmanager
    def mutated(self, fault: str, *processes: str) -> Iterator[None]:
        """The processes run with the fault (`inside/mutants.py`) within the block."""
        self._mutate(fault, processes)
        try:
            yield
        finally:
            self._mutate("", processes)

    def _mutate(self, fault: str, processes: Sequence[str]) -> None:
        named = self.folder / "mutant"
        named.write_text(fault, encoding="ascii")
        for process in processes:
            self.restart(process)
        named.write_text("", encoding="ascii")

    def restart(self, name: str) -> None:
        """Kills a process and waits until its next is ready."""
        self.signal(name, signal.SIGKILL)
        time.sleep(0.5)
        self.ready()

    def ready(self, seconds: float = 120.0) -> None:
        """Waits until every worker has its lease."""
        until = time.monotonic() + seconds
        for name, base in self.workers.items():
            while not _is_ready(base):
                if time.monotonic() > until:
                    raise TimeoutError(f"{name} isn't ready.")
                time.sleep(0.1)

    def handed(self) -> list[Handed]:
        """What the workers noted of their chunks."""
        found = []
        for path in self.folder.glob("handed-*"):
            content = path.read_bytes()
            name = path.name.removeprefix("handed-")
            whole = len(content) - len(content) % PAIR.size
            found += [Handed(name, *pair) for pair in PAIR.iter_unpack(content[:whole])]
        return found


@contextmanager
def standing(folder: Path, workers: int = 2) -> Iterator[Ground]:
    """The region, up; `folder` must be one that every account may walk through."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    clocks = Clocks(folder / "clocks")
    behind = ("postgres", "consent", "exchange", "http", "issuer")
    ports = dict(zip(behind, free_ports(len(behind)), strict=True))
    names = ["exchange", *(f"exchange-{number}" for number in range(2, workers + 1))]
    links = {name: Proxy() for name in (*LINKS, *(f"{one}>{to}" for one in names for to in OF_A_WORKER))}
    for name, link in links.items():
        part = name.split(">")[1].replace("database", "postgres")
        link.target = f"127.0.0.1:{ports[part]}"
    paths = StatePaths((folder / "state").resolve())
    settings = _settings(folder, clocks, links, paths)
    with Stack.start(
        paths.root, fresh_ports=True, ports=ports, settings=settings, lease_seconds=LEASE_SECONDS
    ) as stack:
        ground = Ground(stack, folder, clocks, links, {}, {"exchange": f"http://127.0.0.1:{ports['http']}"}, [])
        ground.grpc.append(stack.addresses["exchange"])
        try:
            for name in names[1:]:
                _add_worker(ground, name)
            ground.ready()
            yield ground
        finally:
            for other in ground.others.values():
                other.stop()
            for database in ground.databases.values():
                database.close()
    for link in links.values():
        link.close()
    clocks.close()


def _settings(folder: Path, clocks: Clocks, links: dict[str, Proxy], paths: StatePaths) -> dict[str, dict[str, str]]:
    # Passwords are made at the first start; here a little before, since addresses with them go through proxies.
    paths.root.mkdir(mode=0o700, exist_ok=True)
    credentials.ensure(paths, [client.id for client in read_region(default_region()).clients])
    return {
        "postgres": clocks.environment("postgres"),
        "consent": {
            **_inside(folder, clocks, "consent"),
            "ECM_EXCHANGE_ADDRESS": links["consent>exchange"].address,
            "ECM_DATABASE_URL": _through(links["consent>database"], paths, "consent"),
            **through_to_issuer(links["consent>issuer"]),
        },
        "exchange": _of_exchange(
            folder, clocks, links, "exchange", _through(links["exchange>database"], paths, "exchange")
        ),
    }


def _of_exchange(folder: Path, clocks: Clocks, links: dict[str, Proxy], name: str, database: str) -> dict[str, str]:
    return {
        **_inside(folder, clocks, name),
        "BARRIER_HANDED": str(folder / f"handed-{name}"),
        "ECM_CONSENT_ADDRESS": links[f"{name}>consent"].address,
        "ECM_DATABASE_URL": database,
        **through_to_issuer(links[f"{name}>issuer"]),
    }


def _inside(folder: Path, clocks: Clocks, name: str) -> dict[str, str]:
    return {
        **clocks.environment(name),
        "PYTHONPATH": str(INSIDE),
        "BARRIER_PART": name,
        "BARRIER_MUTANT": str(folder / "mutant"),
    }


def _through(link: Proxy, paths: StatePaths, service: str) -> str:
    role = app_role(service)
    password = credentials.passwords(paths)["postgres"][role]
    return f"postgresql://{role}:{password}@{link.address}/ecm_{service}"


def _add_worker(ground: Ground, name: str) -> None:
    (http, grpc), stack = free_ports(2), ground.stack
    environment = stack.env("exchange")
    database = urlsplit(environment["ECM_DATABASE_URL"])
    user = database.netloc.rpartition("@")[0]
    through = urlunsplit(database._replace(netloc=f"{user}@{ground.links[f'{name}>database'].address}"))
    environment |= _of_exchange(ground.folder, ground.clocks, ground.links, name, through)
    environment |= {"ECM_HTTP_LISTEN": f"127.0.0.1:{http}", "ECM_LISTEN": f"127.0.0.1:{grpc}", "ECM_METRICS_LISTEN": ""}
    worker = ExchangeWorker(name, environment, ground.folder / f"{name}.log")
    worker.start()
    ground.others[name] = worker
    ground.workers[name] = f"http://127.0.0.1:{http}"
    ground.grpc.append(f"127.0.0.1:{grpc}")


def _is_ready(base: str) -> bool:
    try:
        return httpx.get(f"{base}/health/ready", timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        return False
