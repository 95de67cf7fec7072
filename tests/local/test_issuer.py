"""The issuer gives tokens to whom it should, and each refusal says why."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.testclient import TestClient

from ecm.admin import credentials
from ecm.admin.names import JWT_BEARER
from ecm.admin.people import people_beside
from ecm.kit.auth.claims import Claims
from ecm.kit.region import load_region
from ecm.local.issuer.app import build
from ecm.local.issuer.assertions import AssertionCheck
from ecm.local.issuer.clients import registered
from ecm.local.issuer.grants import JWT_ASSERTION, Grants
from ecm.local.issuer.minting import Mint
from ecm.local.issuer.replay import UsedAssertions
from ecm.local.paths import StatePaths
from local.assertions import CLIENT, FAULTS, Signer

ISSUER = "http://issuer.test"
BASE = "http://fhir.test/fhir"


@dataclass(frozen=True)
class Desk(Signer):
    """The issuer with a client that knows every key."""

    http: TestClient

    def ask(self, assertion: str, **form: str) -> dict[str, Any]:
        body = {"grant_type": "client_credentials", "client_assertion_type": JWT_ASSERTION, **form}
        answer = self.http.post("/token", data={"client_assertion": assertion, **body})
        assert answer.headers["cache-control"] == "no-store"
        return {"status": answer.status_code, **answer.json()}

    def claims(self, token: str) -> Claims:
        keys = self.http.get("/jwks.json").json()["keys"]
        return Claims.model_validate(jwt.decode(token, ECKey.import_key(keys[0]), algorithms=["ES256"]).claims)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Desk]:
    paths = StatePaths(tmp_path_factory.mktemp("issuer"))
    file = repository / "deploy" / "regions" / "example" / "region.yaml"
    region = load_region(file)
    credentials.ensure(paths, [client.id for client in region.clients])
    key = ECKey.import_key(json.loads((paths.keys / "issuer.jwk.json").read_text()))
    check = AssertionCheck((f"{ISSUER}/token", ISSUER), UsedAssertions(paths.root / "used.sqlite"))
    grants = Grants(registered(region, paths), people_beside(file), check, BASE)
    with TestClient(build(Mint(ISSUER, key), grants)) as http:
        yield Desk(paths, ISSUER, f"{ISSUER}/token", http)


def test_a_partner_gets_what_it_asks_for(desk: Desk) -> None:
    answer = desk.ask(desk.assertion(), scope="system/Patient.rs system/Observation.c")
    claims = desk.claims(answer["access_token"])
    assert (claims.aud, claims.azp, claims.ecm_agency) == ([BASE], CLIENT, CLIENT)
    assert claims.scopes == {"system/Patient.rs", "system/Observation.c"}
    assert claims.exp - claims.iat <= 300
    assert answer["expires_in"] <= 300


def test_the_issuers_own_name_is_an_audience_too(desk: Desk) -> None:
    assert desk.ask(desk.assertion(aud=ISSUER), scope="system/Patient.r")["status"] == 200


def test_a_service_names_whom_it_calls(desk: Desk) -> None:
    answer = desk.ask(desk.assertion("ecm-exchange"), scope="ecm-consent", client_id="ecm-exchange")
    claims = desk.claims(answer["access_token"])
    assert (claims.aud, claims.azp, claims.scope) == (["ecm-consent"], "ecm-exchange", "")


def test_a_person_has_roles_and_opens_every_service(desk: Desk) -> None:
    assertion = desk.assertion("ecm-cli", sub="senior-practitioner")
    answer = desk.http.post("/token", data={"grant_type": JWT_BEARER, "assertion": assertion}).json()
    claims = desk.claims(answer["access_token"])
    assert claims.sub == "senior-practitioner"
    assert claims.azp == "ecm-cli"
    assert {(role.yot, role.role) for role in claims.ecm_roles} == {
        ("eastvale", "senior-practitioner"),
        ("westmoor", "senior-practitioner"),
    }
    assert BASE not in claims.aud
    assert len(claims.aud) == 5


@pytest.mark.parametrize("scope", ["system/Observation.d", "system/Patient.u", "user/Patient.rs", "openid", ""])
def test_one_unassigned_scope_fails_the_whole_request(desk: Desk, scope: str) -> None:
    asked = f"system/Patient.rs {scope}" if scope else ""
    answer = desk.ask(desk.assertion(), scope=asked)
    assert (answer["status"], answer["error"]) == (400, "invalid_scope")
    assert answer["error_description"]


def test_a_replayed_assertion_is_refused(desk: Desk) -> None:
    assertion = desk.assertion()
    assert desk.ask(assertion, scope="system/Patient.r")["status"] == 200
    again = desk.ask(assertion, scope="system/Patient.r")
    assert (again["status"], again["error"]) == (401, "invalid_client")
    assert "used before" in again["error_description"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_assertion_is_refused(desk: Desk, fault: str) -> None:
    answer = desk.ask(FAULTS[fault](desk), scope="system/Patient.r")
    assert (answer["status"], answer["error"]) == (401, "invalid_client")
    assert answer["error_description"].endswith(".")


def test_nobody_becomes_a_person_without_the_state_directorys_key(desk: Desk) -> None:
    forged = desk.assertion("ecm-cli", sub="case-manager", key=desk.key(CLIENT))
    partner = desk.assertion(CLIENT, sub="case-manager")
    stranger = desk.assertion("ecm-cli", sub="mallory")
    for assertion in (forged, partner, stranger):
        answer = desk.http.post("/token", data={"grant_type": JWT_BEARER, "assertion": assertion})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_the_command_line_has_no_token_of_its_own(desk: Desk) -> None:
    assert desk.ask(desk.assertion("ecm-cli"))["error"] == "unauthorized_client"


def test_a_service_must_name_a_service(desk: Desk) -> None:
    for audience in ("", BASE, "ecm-cli"):
        assert desk.ask(desk.assertion("ecm-exchange"), scope=audience)["error"] == "invalid_scope"


def test_the_form_is_checked(desk: Desk) -> None:
    assert desk.http.post("/token", json={}).json()["error"] == "invalid_request"
    assert desk.http.post("/token", content="a=1&a=2", headers=FORM).json()["error"] == "invalid_request"
    assert desk.http.post("/token", content="a" * 100_000, headers=FORM).json()["error"] == "invalid_request"
    assert desk.http.post("/token", data={"grant_type": "password"}).json()["error"] == "unsupported_grant_type"


FORM = {"content-type": "application/x-www-form-urlencoded"}


def test_no_private_key_is_published(desk: Desk) -> None:
    (key,) = desk.http.get("/jwks.json").json()["keys"]
    assert "d" not in key
    assert key["kid"]
    assert desk.http.get("/.well-known/openid-configuration").json()["token_endpoint"] == f"{ISSUER}/token"


def test_keys_and_passwords_are_private(desk: Desk) -> None:
    files = [path for path in desk.paths.root.rglob("*") if path.suffix in {".json", ".key"}]
    assert files
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
