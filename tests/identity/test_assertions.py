"""Keycloak gives tokens to whom the local issuer gives them, and refuses what that refuses."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from ecm.local.issuer.grants import JWT_ASSERTION
from ecm.local.stack import Stack
from identity.server import Keycloak, wish_of
from local.assertions import CLIENT, FAULTS, Signer

pytestmark = pytest.mark.keycloak
REALM = "assertions"


@dataclass(frozen=True)
class Desk(Signer):
    """Keycloak's token endpoint."""

    def ask(self, assertion: str, **form: str) -> Mapping[str, Any]:
        """What it answers."""
        body = {"grant_type": "client_credentials", "client_assertion_type": JWT_ASSERTION, **form}
        answer = httpx.post(self.token_url, data={"client_assertion": assertion, **body}, timeout=20, trust_env=False)
        assert "no-store" in answer.headers["cache-control"]
        return {"status": answer.status_code, **answer.json()}


@pytest.fixture(scope="module")
def desk(infrastructure: Stack, keycloak: Keycloak) -> Desk:
    keycloak.look(wish_of(infrastructure.paths, infrastructure.plan, slug=REALM)).carry_out()
    plan = infrastructure.plan.model_copy(update={"keycloak": keycloak.realm_url(REALM)})
    return Desk(infrastructure.paths, plan.issuer, plan.token_url)


def test_both_names_of_the_issuer_are_audiences(desk: Desk) -> None:
    for audience in (desk.issuer, desk.token_url):
        assert desk.ask(desk.assertion(aud=audience), scope="system/Patient.r")["status"] == 200


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_assertion_is_refused(desk: Desk, fault: str) -> None:
    answer = desk.ask(FAULTS[fault](desk), scope="system/Patient.r")
    assert (answer["status"] in (400, 401), answer["error"]) == (True, "invalid_client")


def test_a_replayed_assertion_is_refused(desk: Desk) -> None:
    assertion = desk.assertion()
    assert desk.ask(assertion, scope="system/Patient.r")["status"] == 200
    assert desk.ask(assertion, scope="system/Patient.r")["error"] == "invalid_client"


def test_an_assertion_serves_five_minutes_from_its_iat_whatever_its_exp(desk: Desk) -> None:
    """SMART's bound, as Keycloak holds it: it doesn't refuse the exp, it doesn't believe it."""
    now = int(time.time())
    fresh, old = desk.assertion(iat=now, exp=now + 3600), desk.assertion(iat=now - 310, exp=now + 3600)
    assert desk.ask(fresh, scope="system/Patient.r")["status"] == 200
    assert desk.ask(old, scope="system/Patient.r")["error"] == "invalid_client"


@pytest.mark.parametrize("scope", ["system/Observation.d", "system/Patient.u", "user/Patient.rs", "ecm-consent"])
def test_one_unassigned_scope_fails_the_whole_request(desk: Desk, scope: str) -> None:
    answer = desk.ask(desk.assertion(), scope=f"system/Patient.rs {scope}")
    assert (answer["status"], answer["error"]) == (400, "invalid_scope")


def test_nobody_gets_a_token_by_a_password_but_through_the_command_line(desk: Desk, infrastructure: Stack) -> None:
    password = (infrastructure.paths.keys / "people.password").read_text().strip()
    form = {"grant_type": "password", "username": "case-manager", "password": password}
    public = httpx.post(desk.token_url, data={**form, "client_id": "admin-cli"}, timeout=20, trust_env=False)
    assert public.json()["error"] == "unauthorized_client"
    for client in (CLIENT, "ecm-exchange"):
        assert desk.ask(desk.assertion(client), **form)["error"] == "unauthorized_client"
    assert desk.ask(desk.assertion("ecm-cli"), **form)["status"] == 200
    assert desk.ask(desk.assertion("ecm-cli"), **{**form, "password": "guess"})["error"] == "invalid_grant"
    assert desk.ask(desk.assertion("ecm-cli", key=desk.key(CLIENT)), **form)["error"] == "invalid_client"
