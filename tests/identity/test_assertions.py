"""Keycloak gives tokens to whom the local issuer gives them, and refuses what that refuses."""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey

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


def test_a_partner_changes_its_key_at_its_own_address(desk: Desk, keycloak: Keycloak, infrastructure: Stack) -> None:
    """Keycloak fetches the set; while old and new stand in it, both serve."""
    old, new = desk.key(CLIENT), ECKey.generate_key("P-384", {"use": "sig", "alg": "ES384", "kid": "new"})
    wish = wish_of(infrastructure.paths, infrastructure.plan, slug=REALM)
    with published([old, new]) as url:
        moved = [client.model_copy(update={"jwks_url": url}) for client in wish.region.clients if client.id == CLIENT]
        others = [client for client in wish.region.clients if client.id != CLIENT]
        found = keycloak.look(replace(wish, region=wish.region.model_copy(update={"clients": [*moved, *others]})))
        assert [change.name for change in found.changes] == [CLIENT]
        found.carry_out()
        for key in (old, new):
            assert desk.ask(desk.assertion(key=key), scope="system/Patient.r")["status"] == 200
    keycloak.look(wish).carry_out()
    assert desk.ask(desk.assertion(key=new), scope="system/Patient.r")["error"] == "invalid_client"
    assert desk.ask(desk.assertion(), scope="system/Patient.r")["status"] == 200


@contextmanager
def published(keys: Sequence[ECKey]) -> Iterator[str]:
    """A partner's address with these public keys."""
    content = json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/jwks.json"
    server.shutdown()
    server.server_close()


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
