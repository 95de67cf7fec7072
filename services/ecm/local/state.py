"""What runs: `state.json`, written by the supervisor alone, read by `ecm status`, `kill`, `down` and tests."""

from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ValidationError

from ecm.admin.files import read_json, write_private
from ecm.local.paths import StatePaths
from ecm.local.process import Identity

PartPhase = Literal["waiting", "preparing", "starting", "healthy", "restarting", "stopped"]
Phase = Literal["starting", "healthy", "stopping", "stopped", "failed"]


class Running(BaseModel):
    """One process: `ecm.local.process.Identity` as JSON."""

    pid: int
    started: str

    @property
    def identity(self) -> Identity:
        """The process, safe against a pid that is used again."""
        return Identity(self.pid, self.started)


class PartState(BaseModel):
    """One part as the supervisor sees it. `message` is what it is doing, or why it ended."""

    phase: PartPhase = "waiting"
    address: str = ""
    process: Running | None = None
    restarts: int = 0
    message: str = ""


class RunState(BaseModel):
    """The whole of one state. `message` and `hint` say why it failed and what to do."""

    phase: Phase = "stopped"
    message: str = ""
    hint: str = ""
    supervisor: Running | None = None
    parts: dict[str, PartState] = {}

    @property
    def supervised(self) -> bool:
        """Whether the supervisor that wrote this still lives."""
        return self.supervisor is not None and self.supervisor.identity.alive()


def read(paths: StatePaths) -> RunState:
    """The state as written last; an empty one where nothing ever ran or the file is of another version."""
    try:
        return RunState.model_validate(read_json(paths.state_file) or {})
    except ValidationError:
        return RunState()


class Board:
    """The supervisor's state, written and told to `observer` at every change."""

    def __init__(self, paths: StatePaths, observer: Callable[[RunState], None]) -> None:
        self._paths = paths
        self._observer = observer
        self.state = RunState()

    def publish(self) -> None:
        """Write the state file and tell the observer."""
        write_private(self._paths.state_file, self.state.model_dump_json(indent=2) + "\n")
        self._observer(self.state)

    def enter(self, phase: Phase, message: str = "", hint: str = "") -> None:
        """The whole is in another phase."""
        self.state.phase, self.state.message, self.state.hint = phase, message, hint
        self.publish()

    def part(self, name: str, phase: PartPhase, message: str = "") -> None:
        """One part is in another phase."""
        part = self.state.parts.setdefault(name, PartState())
        if (part.phase, part.message) != (phase, message):
            part.phase, part.message = phase, message
            self.publish()

    def process(self, name: str, identity: Identity | None) -> None:
        """One part has a process now, or has none any more."""
        part = self.state.parts.setdefault(name, PartState())
        part.process = Running(pid=identity.pid, started=identity.started) if identity else None
        self.publish()

    def restarted(self, name: str) -> None:
        """Count a restart."""
        self.state.parts[name].restarts += 1
