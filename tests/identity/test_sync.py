"""`ecm keycloak sync` against Keycloak: a plan changes nothing, one run makes all, a second finds nothing to do.

What a hand changed is put back.
"""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from keycloak import KeycloakGetError

from ecm.admin.errors import OperatorError
from ecm.admin.keycloak.configuration import DEMO, Kind
from ecm.admin.keycloak.difference import Change
from ecm.admin.keycloak.wanted import Wish
from ecm.admin.tokens import TokenDesk
from ecm.local.stack import Stack
from identity.drift import ANALYSTS, CLIENT, DRIFTS
from identity.server import Keycloak, wish_of

pytestmark = pytest.mark.keycloak
REALM = "sync"


@dataclass(frozen=True)
class Room:
    """A realm of this suite's own, and tokens of it."""

    keycloak: Keycloak
    wish: Wish
    desk: TokenDesk

    def plan(self, wish: Wish | None = None) -> list[Change]:
        """What would be done."""
        return self.keycloak.look(wish or self.wish).changes

    def sync(self, wish: Wish | None = None) -> list[str]:
        """Do it; answers what was done."""
        found = self.keycloak.look(wish or self.wish)
        done: list[str] = []
        found.carry_out(lambda change: done.append(f"{change.action} {change.name}"))
        return done


@pytest.fixture(scope="module")
def room(infrastructure: Stack, keycloak: Keycloak) -> Room:
    plan = infrastructure.plan.model_copy(update={"keycloak": keycloak.realm_url(REALM)})
    wish = wish_of(infrastructure.paths, infrastructure.plan, slug=REALM)
    made = Room(keycloak, wish, TokenDesk(infrastructure.paths, plan))
    made.sync()
    return made


def test_a_plan_makes_nothing(room: Room, infrastructure: Stack) -> None:
    unmade = wish_of(infrastructure.paths, infrastructure.plan, slug="unmade")
    assert {change.action for change in room.plan(unmade)} == {"create", "update"}
    with pytest.raises(KeycloakGetError, match="Realm not found"):
        room.keycloak.admin("unmade").get_realm("unmade")


def test_a_second_run_finds_nothing_to_do(room: Room) -> None:
    assert room.plan() == []


@pytest.mark.parametrize(
    ("kind", "name", "deed"), [(*item, deed) for item, deeds in DRIFTS.items() for deed in deeds], ids=str
)
def test_what_a_hand_did_is_put_back(room: Room, kind: Kind, name: str, deed: str) -> None:
    DRIFTS[kind, name][deed](room.keycloak.admin(REALM))
    found = room.keycloak.look(room.wish)
    assert (kind, name or REALM) in [(change.kind, change.name) for change in found.changes]
    found.carry_out()
    assert room.plan() == []
    assert roles_of(room, "analyst") == [{"yot": "eastvale", "role": "analyst"}]
    assert claims_of(room.desk.client(CLIENT, "system/Patient.rs"))["ecm_agency"] == CLIENT


def test_a_role_that_a_group_gave_is_in_no_token_after(room: Room) -> None:
    DRIFTS[Kind.GROUP, ANALYSTS]["a group gives another role"](room.keycloak.admin(REALM))
    assert roles_of(room, "analyst") == [{"yot": "eastvale", "role": "administrator"}]
    room.sync()
    assert roles_of(room, "analyst") == [{"yot": "eastvale", "role": "analyst"}]


def test_nobody_is_given_roles_by_an_attribute_of_their_own(room: Room) -> None:
    admin = room.keycloak.admin(REALM)
    person = admin.get_user(str(admin.get_user_id("analyst")))
    attributes = {**person["attributes"], "ecm_roles": ['{"role":"administrator","yot":"eastvale"}']}
    admin.update_user(person["id"], {**person, "attributes": attributes})
    assert roles_of(room, "analyst") == [{"yot": "eastvale", "role": "analyst"}]
    assert room.plan() == []


def test_a_client_that_the_region_file_has_no_more_is_removed(room: Room) -> None:
    assert room.desk.client("custody-northgate", "system/Patient.rs")
    fewer = [client for client in room.wish.region.clients if client.id != "custody-northgate"]
    without = replace(room.wish, region=room.wish.region.model_copy(update={"clients": fewer}))
    assert room.sync(without) == ["remove custody-northgate"]
    with pytest.raises(OperatorError, match="invalid_client"):
        room.desk.client("custody-northgate", "system/Patient.rs")
    assert room.sync() == ["create custody-northgate"]
    assert room.desk.client("custody-northgate", "system/Patient.rs")


def test_a_region_of_real_people_has_no_demo(room: Room) -> None:
    real = replace(room.wish, demo=None, password="")
    done = room.sync(real)
    assert sorted(done) == sorted(
        [*(f"remove {name}" for name in room.wish.demo or {}), f"remove {DEMO}", "remove ecm-cli"]
    )
    with pytest.raises(OperatorError, match="invalid_client"):
        room.desk.person("case-manager")
    room.sync()
    assert room.plan() == []
    assert room.desk.person("case-manager")


def test_what_isnt_ours_is_left_alone(room: Room) -> None:
    """A YOT's case-management system, and somebody who works there."""
    admin = room.keycloak.admin(REALM)
    client = admin.create_client({"clientId": "case-management", "redirectUris": ["https://cms.example.invalid/*"]})
    person = admin.create_user({"username": "somebody", "enabled": True})
    admin.group_user_add(person, admin.get_group_by_path("ecm/eastvale/case-manager")["id"])
    assert room.plan() == []
    assert admin.get_client(client)["redirectUris"] == ["https://cms.example.invalid/*"]
    assert {one["path"] for one in admin.get_user_groups(person)} == {"/ecm/eastvale/case-manager"}


def test_a_new_password_of_the_demos_people_is_set(room: Room, infrastructure: Stack) -> None:
    new = "n" * 48
    changed = room.sync(replace(room.wish, password=new))
    assert sorted(changed) == sorted(f"update {name}" for name in room.wish.demo or {})
    with pytest.raises(OperatorError, match="invalid_grant"):
        room.desk.person("case-manager")
    room.sync()
    assert room.desk.person("case-manager")


@pytest.fixture(scope="module")
def command(keycloak: Keycloak, infrastructure: Stack, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """`ecm keycloak sync` as a process, for a region of its own."""
    folder = tmp_path_factory.mktemp("command")
    region = yaml.safe_load(infrastructure.plan.region.read_text())
    (folder / "region.yaml").write_text(yaml.safe_dump({**region, "slug": "command"}))
    (folder / "admin").write_text(keycloak.password)
    secrets = {
        "ECM_KEYCLOAK_ADMIN_PASSWORD_FILE": str(folder / "admin"),
        "ECM_FHIR_BASE": "http://fhir.invalid/fhir",
        "ECM_KEYCLOAK_PEOPLE_PASSWORD_FILE": str(infrastructure.paths.people_password),
    }

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        keys = infrastructure.paths.keys / "clients"
        people = infrastructure.plan.region.with_name("people.yaml")
        files = ["--region", folder / "region.yaml", "--keys", keys, "--people", people]
        ecm = Path(sys.executable).with_name("ecm")
        server = [] if "--server" in arguments else ["--server", keycloak.url]
        done = subprocess.run(
            [ecm, "keycloak", "sync", *server, *map(str, files), *arguments],
            env={**os.environ, **secrets, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert keycloak.password not in done.stdout + done.stderr
        return done

    return run


def test_the_command_plans_makes_and_then_has_nothing_to_do(command: Callable[..., Any]) -> None:
    planned = command("--plan", "--json")
    assert planned.returncode == 0
    changes = json.loads(planned.stdout)["changes"]
    assert {"action": "create", "kind": "realm", "name": "command", "fields": {}} in changes
    done = command()
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Done: {len(changes)} changes." in done.stdout
    assert json.loads(command("--json").stdout) == {"realm": "command", "changes": []}
    assert command("--plan").stdout == "Realm command: no changes.\n"


def test_the_command_says_what_is_wrong(command: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("not the password")
    wrong = command(ECM_KEYCLOAK_ADMIN_PASSWORD_FILE=str(tmp_path / "wrong"))
    assert wrong.returncode == 1
    assert "Invalid user credentials" in wrong.stderr
    absent = command(ECM_KEYCLOAK_ADMIN_PASSWORD_FILE=str(tmp_path / "absent"))
    assert (absent.returncode, "can't be read" in absent.stderr) == (1, True)
    away = command("--server", "http://127.0.0.1:1")
    assert (away.returncode, "whether it runs" in away.stderr) == (1, True)


def claims_of(token: str) -> dict[str, Any]:
    """A token's claims, unverified."""
    text = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def roles_of(room: Room, person: str) -> Any:
    """The roles in somebody's new token."""
    return claims_of(room.desk.person(person))["ecm_roles"]
