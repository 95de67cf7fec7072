"""A running region as an object: for tests, the demo and the command line.

stack = Stack.start(tmp_path / "state", parts=("postgres", "kafka", "issuer"))
stack.database_url("referrals", "owner"), stack.token(person="case-manager"), stack.stop()
"""

import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from ecm.admin import credentials, tokens
from ecm.admin.errors import OperatorError
from ecm.admin.files import private_directory
from ecm.admin.names import app_role, owner_role
from ecm.admin.running import KafkaCredentials
from ecm.kit.region import Region
from ecm.local import environment, lifetime
from ecm.local import plan as plans
from ecm.local import state as states
from ecm.local.lifetime import STOP_SECONDS, Observer
from ecm.local.names import ALL_PARTS
from ecm.local.paths import StatePaths, default_region
from ecm.local.plan import Plan
from ecm.local.state import RunState

ALL = ALL_PARTS


class Stack:
    """One state directory and, while it is served, the processes behind it."""

    def __init__(self, paths: StatePaths, plan: Plan, lifeline: int | None = None) -> None:
        self.paths = paths
        self.plan = plan
        self._lifeline = lifeline

    @classmethod
    def start(
        cls,
        state_dir: Path,
        *,
        region: Path | None = None,
        ports: Mapping[str, int] | None = None,
        parts: Sequence[str] = ALL,
        lease_seconds: float | None = None,
        settings: Mapping[str, Mapping[str, str]] | None = None,
        detach: bool = False,
        fresh_ports: bool = False,
        keycloak: str | None = None,
        observer: Observer = lambda _: None,
    ) -> Self:
        """Start a supervisor and wait until all is healthy; it ends with this process unless `detach`ed.

        `ports` fixes some by name (`http`, `postgres`, `kafka`, `issuer`, a service's name); `settings` overrides
        environment variables by service, e.g. `{"exchange": {"ECM_CONSENT_ADDRESS": proxy}}`, and of `kafka` what it
        tells clients to go on to: `{"kafka": {"advertised": proxy}}`. `keycloak` is a realm's URL, in place of the
        part `issuer`; it must hold this state's clients before. Raises `OperatorError`.
        """
        paths = StatePaths(Path(state_dir).resolve())
        plan = prepare(
            paths,
            region=region,
            chosen_ports=ports,
            parts=parts,
            lease_seconds=lease_seconds,
            settings=settings,
            fresh_ports=fresh_ports,
            keycloak=keycloak,
        )
        process, lifeline = lifetime.launch(paths, detach)
        stack = cls(paths, plan, lifeline)
        try:
            lifetime.await_healthy(paths, process, observer)
        except BaseException:
            stack.stop()
            lifetime.end(process)
            raise
        return stack

    @classmethod
    def attach(cls, state_dir: Path) -> Self:
        """The stack of a state that was started before, running or not. Raises `OperatorError` for an empty one."""
        paths = StatePaths(Path(state_dir).resolve())
        plan = plans.load(paths) if paths.root.is_dir() else None
        if plan is None:
            raise OperatorError(f"There is no state in {paths.root}.", "Start one: ecm up, with the same --state.")
        return cls(paths, plan)

    def stop(self) -> None:
        """End the supervisor and all its parts, in order."""
        lifetime.stop(self.paths)
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def state(self) -> RunState:
        """What runs now, as the supervisor wrote it last."""
        return states.read(self.paths)

    @property
    def folder(self) -> Path:
        """The state directory."""
        return self.paths.root

    def load_region(self) -> Region:
        """The region file's content. Raises `OperatorError` where it isn't right."""
        return self.plan.load_region()

    @property
    def addresses(self) -> dict[str, str]:
        """`host:port` by part; of the issuer the URL; `fhir`: the FHIR base."""
        return {**{part: self.plan.address(part) for part in self.plan.parts}, "fhir": self.plan.fhir_base}

    def token(self, *, client: str = "", person: str = "", scope: str = "", audience: str = "") -> str:
        """An access token: of a partner (`client`, all its scopes unless `scope` says), of a service (`client` and
        `audience`), or of a person."""
        source = tokens.TokenDesk(self.paths, self.plan)
        return source.person(person) if person else source.client(client, scope, audience)

    def database_url(self, service: str, role: Literal["app", "owner"] = "app") -> str:
        """`postgresql://…` of a service's database."""
        name = app_role(service) if role == "app" else owner_role(service)
        return environment.database_url(self.paths, self.plan, service, name)

    def kafka(self, principal: str) -> KafkaCredentials:
        """Credentials of a client (`nhs-psychology`), a service (`ecm-referrals`) or of `ecm-admin`."""
        known = credentials.passwords(self.paths)["kafka"]
        if principal not in known:
            raise OperatorError(f"Kafka knows no {principal!r}.", f"It knows: {', '.join(sorted(known))}.")
        return KafkaCredentials(self.plan.address("kafka"), principal, known[principal])

    def env(self, service: str) -> dict[str, str]:
        """The environment that a service is started with."""
        return environment.of_service(self.paths, self.plan, service)

    def kill(self, part: str) -> None:
        """SIGKILL one part; the supervisor starts it again. Raises `OperatorError` where it doesn't run."""
        found = self.state.parts.get(part)
        if found is None:
            raise OperatorError(f"There is no part {part!r} here.", f"Parts are: {', '.join(self.plan.parts)}.")
        if found.process is None or not found.process.identity.send(signal.SIGKILL):
            raise OperatorError(f"{part} doesn't run now.", "Look with ecm status.")
        # Until it is gone the state file still calls it healthy.
        found.process.identity.gone_within(STOP_SECONDS)

    def wait_healthy(self, part: str = "", seconds: float = 60.0) -> None:
        """Wait until a part, or every one, is healthy (again). Raises `OperatorError` after `seconds`."""
        names = [part] if part else list(self.plan.parts)
        until = time.monotonic() + seconds
        while not all(_healthy(self.state, name) for name in names):
            if time.monotonic() > until:
                raise OperatorError(f"{', '.join(names)} not healthy within {seconds:g} s.", "Look with ecm status.")
            time.sleep(0.05)


def prepare(
    paths: StatePaths,
    *,
    region: Path | None = None,
    chosen_ports: Mapping[str, int] | None = None,
    parts: Sequence[str] = ALL,
    lease_seconds: float | None = None,
    settings: Mapping[str, Mapping[str, str]] | None = None,
    fresh_ports: bool = False,
    keycloak: str | None = None,
) -> Plan:
    """Decide and remember what a state runs. Raises `OperatorError` where it is served already."""
    private_directory(paths.root)
    if states.read(paths).supervised:
        raise OperatorError(f"{paths.root} is served already.", "Look with ecm status, or end it with ecm down.")
    old = plans.load(paths)
    plan = plans.revise(
        old,
        region=region or (default_region() if old is None else None),
        chosen_ports=chosen_ports,
        fresh_ports=fresh_ports,
        parts=parts,
        lease_seconds=lease_seconds,
        settings=settings,
        keycloak=keycloak,
    )
    # A file that can't be used isn't remembered.
    plan.load_region()
    plans.save(paths, plan)
    return plan


def _healthy(now: RunState, part: str) -> bool:
    found = now.parts.get(part)
    running = found is not None and found.process is not None and found.process.identity.alive()
    return running and found is not None and found.phase == "healthy"
