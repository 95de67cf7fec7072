"""`ecm up --keycloak`: the region's realm is made there, remembered, and nobody else's is touched."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli.test_cli import ecm
from ecm.local import plan as plans
from ecm.local.paths import StatePaths
from ecm.local.plan import Plan
from ecm.local.stack import Stack
from identity.server import Keycloak, wish_of

pytestmark = pytest.mark.keycloak
SLUG = "upward"


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


def test_the_realm_is_made_and_remembered_and_nobody_elses_is_touched(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    keycloak: Keycloak,
    region: Path,
    tmp_path: Path,
) -> None:
    def up(state: str, *more: str) -> tuple[int, str]:
        options = ("--detach", "--fresh-ports", "--region", str(region), "--state", str(tmp_path / state))
        status = ecm(monkeypatch, "up", *options, *more)
        said = capsys.readouterr()
        return status, said.out + said.err

    elsewhere = keycloak.url.replace("127.0.0.1", "localhost")
    status, said = up("one", "--keycloak", elsewhere)
    assert status == 1 and f"calls itself {keycloak.url}" in said

    status, said = up("one", "--keycloak", keycloak.url + "/")
    plan = remembered(tmp_path / "one")
    assert status == 0 and f"Realm {SLUG}: " in said and f"+ realm {SLUG}" in said
    assert plan.keycloak == keycloak.realm_url(SLUG) and "issuer" not in plan.parts

    assert up("one")[0] == 0
    assert remembered(tmp_path / "one").keycloak == keycloak.realm_url(SLUG)

    status, said = up("another", "--keycloak", keycloak.url)
    assert status == 1 and "this state didn't make it" in said
    assert remembered(tmp_path / "another").keycloak == ""
    assert keycloak.look(wish_of(StatePaths(tmp_path / "one"), remembered(tmp_path / "one"))).changes == []

    assert up("one", "--keycloak", "")[0] == 0
    assert "issuer" in remembered(tmp_path / "one").parts
