"""What is measured: a server under a base path, how it is asked, and what it costs. Ours, the raw limit, a peer."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import httpx
import psutil

from benchmarks.children import Children, Resource, observation
from benchmarks.filling import AGENCY
from benchmarks.processes import Tree
from ecm.demo import fhir
from ecm.local.stack import Stack

STOP_SECONDS = 20.0


class AbsentError(Exception):
    """A peer can't be had here; the message says why."""


class Server(Protocol):
    """One of those that are compared. All serve under /fhir."""

    @property
    def port(self) -> int:
        """Of HTTP, on the loopback."""

    @property
    def start_seconds(self) -> float:
        """From its start until it answers."""

    def headers(self) -> dict[str, str]:
        """Of a request, with a token where one is wanted; good for some minutes."""

    def creating(self, children: Children) -> Sequence[tuple[Resource, Mapping[str, str]]]:
        """Resources to create, of different children, and the headers that go with each."""

    def cpu(self, *, writing: bool = False) -> float:
        """Seconds of CPU until now, without the database; `writing`: of all who take part in a write."""

    def memory(self) -> float:
        """Megabytes, PSS over its processes, without the database."""


class Started:
    """A server as a child process, ended with the block.

    It says {"port": …} once it serves, and ends with its standard input; or it serves on the `port` that it was told,
    and what it says goes nowhere. AbsentError where it doesn't come up.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None, *, port: int = 0
    ) -> None:
        began = time.monotonic()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL if port else subprocess.PIPE,
            stderr=subprocess.DEVNULL if port else None,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        self.port = port or self._told()
        while not _answers(f"http://127.0.0.1:{self.port}/fhir/metadata"):
            if self._process.poll() is not None:
                raise AbsentError(f"{name} didn't start (status {self._process.returncode})")
            time.sleep(0.02)
        self.start_seconds = time.monotonic() - began
        self.tree = Tree(self._process.pid)

    def headers(self) -> dict[str, str]:
        """No token: it asks for none."""
        return {}

    def creating(self, children: Children) -> Sequence[tuple[Resource, Mapping[str, str]]]:
        """The Observations that are read, of other Patients; ids are the server's."""
        made = [observation(str(child.patient["id"])) for child in children.writers]
        return [({name: value for name, value in one.items() if name != "id"}, {}) for one in made]

    def cpu(self, *, writing: bool = False) -> float:
        """It writes alone."""
        return self.tree.cpu()

    def memory(self) -> float:
        """Of the process and what it started."""
        return self.tree.memory()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends it, and waits for that."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _told(self) -> int:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return int(json.loads(line)["port"]) if line else 0


class Raw(Started):
    """The raw limit (`raw.py`) on the exchange's own database."""

    def __init__(self, url: str) -> None:
        super().__init__("raw", [sys.executable, str(Path(__file__).parent / "serve.py"), url])


class Ours:
    """The exchange of a running region, as `ecm up` starts it, asked by its psychology service."""

    def __init__(self, stack: Stack, patients: Sequence[str]) -> None:
        self._stack = stack
        self._patients = patients
        self.port = stack.plan.ports["http"]
        self.start_seconds = _restart(stack)

    def headers(self) -> dict[str, str]:
        """A token as the issuer gives it: five minutes."""
        return {"Authorization": f"Bearer {self._stack.token(client=AGENCY)}"}

    def creating(self, children: Children) -> Sequence[tuple[Resource, Mapping[str, str]]]:
        """Placements on the recovery model: a registered author, a command of `formulation`, projected before 201."""
        headers = {"X-Provenance": fhir.provenance("psychologist-1")}
        return [(fhir.recovery_stage(patient, stage=2), headers) for patient in self._patients]

    def cpu(self, *, writing: bool = False) -> float:
        """The exchange's; of a write every part's but PostgreSQL's."""
        parts = [part for part in self._stack.plan.parts if part != "postgres"] if writing else ["exchange"]
        return sum(self._tree(part).cpu() for part in parts)

    def memory(self) -> float:
        """The exchange's."""
        return self._tree("exchange").memory()

    def _tree(self, part: str) -> Tree:
        return Tree(pid_of(self._stack, part))


def pid_of(stack: Stack, part: str) -> int:
    """The process of a part."""
    found = stack.state.parts[part].process
    assert found is not None, f"{part} doesn't run"
    return found.pid


def _restart(stack: Stack) -> float:
    """From the exchange's next process until it answers."""
    stack.kill("exchange")
    url = f"{stack.addresses['fhir']}/metadata"
    while not _answers(url):
        time.sleep(0.02)
    return time.time() - _started_at(pid_of(stack, "exchange"))


def _answers(url: str) -> bool:
    """Anything but an error of its own."""
    try:
        return httpx.get(url, trust_env=False, timeout=60).status_code < 500
    except httpx.TransportError:
        return False


def _started_at(pid: int) -> float:
    return psutil.Process(pid).create_time()


def ids_of(bundle: Resource) -> set[Any]:
    """The ids of a Bundle's matches and included resources."""
    resources = [entry["resource"] for entry in bundle.get("entry", [])]
    return {one.get("id") for one in resources if one["resourceType"] in ("Patient", "Observation")}
