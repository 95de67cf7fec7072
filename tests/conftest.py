"""Fixtures that every suite shares: real PostgreSQL, Kafka and issuer, started once; a whole region, started once."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from ecm.kit.bus import watchdog
from ecm.local import realm
from ecm.local.names import INFRASTRUCTURE
from ecm.local.paths import StatePaths
from ecm.local.stack import Stack, prepare
from identity import server
from identity.server import Keycloak


@pytest.fixture(scope="session", autouse=True)
def _nobody_leaves() -> Iterator[None]:
    """A service that a suite runs in this process stands still during tests that await nothing.

    Its consumers' watchdogs would take it for stuck after 30 s, and end the whole run.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watchdog, "os", SimpleNamespace(_exit=lambda status: None))
        yield


@pytest.fixture(scope="session")
def infrastructure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL, Kafka and the issuer, without the services: for suites that run one service by themselves."""
    with Stack.start(tmp_path_factory.mktemp("infrastructure"), parts=INFRASTRUCTURE, fresh_ports=True) as stack:
        yield stack


@pytest.fixture(scope="session")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A whole region as `ecm up` starts it, with a lease of one second."""
    with Stack.start(tmp_path_factory.mktemp("region"), fresh_ports=True, lease_seconds=1.0) as stack:
        yield stack


@pytest.fixture(scope="session")
def keycloak(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keycloak]:
    """Keycloak as a process of its own, without a realm of ours."""
    if missing := server.missing_tools():
        pytest.skip(f"Keycloak needs Java 17 and Maven; not here: {missing}")
    running, process = server.start(tmp_path_factory.mktemp("keycloak") / "keycloak.log")
    yield running
    server.stop(process)


@pytest.fixture(scope="session")
def keycloak_region(keycloak: Keycloak, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A whole region like `region`, but its tokens are Keycloak's."""
    paths = StatePaths(tmp_path_factory.mktemp("keycloak-region"))
    plan = prepare(paths, fresh_ports=True, lease_seconds=1.0)
    realm.join(paths, plan, keycloak.url, keycloak.settings, lambda _: None)
    with Stack.start(paths.root) as stack:
        yield stack


@pytest.fixture(scope="session", params=["local", pytest.param("keycloak", marks=pytest.mark.keycloak)])
def region_of_either_issuer(request: pytest.FixtureRequest) -> Stack:
    """A whole region: once with the local issuer, once with Keycloak (`-m keycloak`)."""
    served: Stack = request.getfixturevalue("region" if request.param == "local" else "keycloak_region")
    return served


@pytest.fixture(scope="session")
def repository() -> Path:
    """The project's root."""
    return Path(__file__).parents[1]
