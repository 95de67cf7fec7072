"""Fixtures that every suite shares: real PostgreSQL, Kafka and issuer, started once; a whole region, started once."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from ecm.kit.bus import watchdog
from ecm.local.names import INFRASTRUCTURE
from ecm.local.stack import Stack


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
def repository() -> Path:
    """The project's root."""
    return Path(__file__).parents[1]
