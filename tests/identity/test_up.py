"""`ecm up --keycloak`: the realm, as `keycloak_region` makes one, is kept and remembered; nobody else's is touched."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli.test_cli import ecm
from ecm.local import plan as plans
from ecm.local.paths import StatePaths
from ecm.local.plan import Plan
from ecm.local.stack import Stack
from identity.server import Keycloak

pytestmark = pytest.mark.keycloak
SLUG = "upward"
Up = Callable[..., tuple[int, str]]


@pytest.fixture
def region(tmp_path: Path, repository: Path) -> Path:
    """The example region under a name of its own."""
    shutil.copytree(repository / "deploy" / "regions" / "example", tmp_path / "region")
    file = tmp_path / "region" / "region.yaml"
    file.write_text(file.read_text().replace("slug: example", f"slug: {SLUG}"))
    return file


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch: pytest.MonkeyPatch, keycloak: Keycloak) -> None:
    """What is started then is a region on a realm, and `region_of_either_issuer` is one: here it isn't."""

    def start(state: Path, **_: Any) -> Any:
        return SimpleNamespace(plan=remembered(state))

    monkeypatch.setattr(Stack, "start", start)
    monkeypatch.setenv("ECM_KEYCLOAK_ADMIN_PASSWORD", keycloak.password)


def remembered(state: Path) -> Plan:
    found = plans.load(StatePaths(state))
    assert found is not None
    return found


@pytest.fixture
def up(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Up:
    """`ecm up` of a state: its exit status and what it said."""

    def run(state: str, *more: str) -> tuple[int, str]:
        status = ecm(monkeypatch, "up", "--detach", "--state", str(tmp_path / state), *more)
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


def test_the_realm_is_kept_and_remembered_and_nobody_elses_is_touched(
    up: Up, keycloak: Keycloak, keycloak_region: Stack, region: Path, tmp_path: Path
) -> None:
    elsewhere = keycloak.url.replace("127.0.0.1", "localhost")
    status, said = up("new", "--fresh-ports", "--region", str(region), "--keycloak", elsewhere)
    assert status == 1 and f"calls itself {keycloak.url}" in said

    status, said = up("another", "--fresh-ports", "--keycloak", keycloak.url)
    assert status == 1 and "it isn't this state's" in said
    assert remembered(tmp_path / "new").keycloak == remembered(tmp_path / "another").keycloak == ""

    # The state that made the realm of the journey, as a copy that isn't served.
    running = shutil.ignore_patterns("postgres*", "kafka", "logs", "state.json")
    shutil.copytree(keycloak_region.paths.root, tmp_path / "own", ignore=running)
    status, said = up("own", "--keycloak", keycloak.url + "/")
    assert status == 0 and "Realm example: no changes." in said
    assert remembered(tmp_path / "own") == keycloak_region.plan
    assert "issuer" not in keycloak_region.plan.parts

    assert up("own", "--keycloak", "")[0] == 0
    assert "issuer" in remembered(tmp_path / "own").parts
    status, said = up("own", "--keycloak", keycloak.url)
    assert status == 0 and "Realm example: no changes." in said

    # Others have made it again since: what is remembered says nothing of whose it is.
    shutil.copytree(tmp_path / "own", tmp_path / "bereft", ignore=shutil.ignore_patterns("clients"))
    status, said = up("bereft", "--keycloak", keycloak.url)
    assert status == 1 and "it isn't this state's" in said
    assert remembered(tmp_path / "bereft").keycloak == keycloak.realm_url("example")
