"""What a realm must hold follows from the region file; the plan is what it lacks. Pure: no Keycloak."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from ecm.admin.errors import OperatorError
from ecm.admin.keycloak.clients import ADMIN_CLI
from ecm.admin.keycloak.configuration import Kind, empty
from ecm.admin.keycloak.difference import Change, plan
from ecm.admin.keycloak.keys import Keys
from ecm.admin.keycloak.wanted import Wish, wanted
from ecm.admin.names import PERSON_CLIENT
from ecm.admin.people import people_beside
from ecm.kit.names import SERVICE_CLIENTS
from ecm.kit.region import load_region
from ecm.kit.scopes import SCOPES

REGION_FILE = Path(__file__).parents[2] / "deploy" / "regions" / "example" / "region.yaml"
REGION = load_region(REGION_FILE)
BASE = "https://fhir.example.invalid/fhir"
PASSWORD = "p" * 48


def write_key(folder: Path, client: str, key: ECKey | RSAKey | OctKey) -> None:
    """A client's key as the folder holds it."""
    (folder / f"{client}.jwk.json").write_text(json.dumps(key.as_dict(private=True)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key of every client."""
    made = tmp_path_factory.mktemp("keys")
    for client in (*(client.id for client in REGION.clients), *SERVICE_CLIENTS, PERSON_CLIENT):
        write_key(made, client, ECKey.generate_key("P-384"))
    return made


@pytest.fixture
def wish(folder: Path) -> Wish:
    """The example region with the demo's people."""
    return Wish(REGION, BASE, Keys(folder), people_beside(REGION_FILE), PASSWORD)


def test_a_realm_as_it_is_wanted_needs_nothing(wish: Wish) -> None:
    assert plan(wanted(wish), wanted(wish)) == []


def test_everything_is_made_before_what_needs_it(wish: Wish) -> None:
    steps = plan(wanted(wish), empty())
    assert {step.action for step in steps} == {"create"}
    assert [step.kind for step in steps] == sorted((step.kind for step in steps), key=list(Kind).index)
    paths = [step.name for step in steps if step.kind is Kind.GROUP]
    assert all(path.rpartition("/")[0] in ("", *paths[: paths.index(path)]) for path in paths)


def test_what_isnt_wanted_any_more_goes_last_and_in_reverse(wish: Wish) -> None:
    real = replace(wish, demo=None, password="")
    steps = plan(wanted(real), wanted(wish))
    assert {step.action for step in steps} == {"remove"}
    assert [step.kind for step in steps] == [Kind.PERSON] * len(wish.demo or {}) + [Kind.GROUP, Kind.CLIENT]
    assert steps[-1].name == PERSON_CLIENT


def test_a_changed_field_is_named_to_its_innermost(wish: Wish) -> None:
    actual = wanted(wish)
    client = actual[Kind.CLIENT]["la-eastvale"]
    client["attributes"] |= {"token.endpoint.auth.signing.alg": "RS256", "access.token.lifespan": "36000"}
    client["directAccessGrantsEnabled"] = True
    client["something of Keycloak's"] = 1
    assert plan(wanted(wish), actual) == [
        Change(
            "update",
            Kind.CLIENT,
            "la-eastvale",
            wanted(wish)[Kind.CLIENT]["la-eastvale"],
            {
                "attributes.access.token.lifespan": ("36000", None),
                "attributes.token.endpoint.auth.signing.alg": ("RS256", "ES384"),
                "directAccessGrantsEnabled": (True, False),
            },
        )
    ]


def test_a_client_may_ask_for_what_its_region_file_covers_and_nothing_else(wish: Wish) -> None:
    clients = wanted(wish)[Kind.CLIENT]
    custody = clients["custody-northgate"]["optionalClientScopes"]
    assert custody == [scope for scope in SCOPES if scope.rpartition(".")[2] in ("r", "rs", "s")]
    psychology = clients["nhs-psychology"]["optionalClientScopes"]
    assert set(psychology) - set(custody) == {
        *("system/Observation.c", "system/CarePlan.c", "system/CarePlan.u", "system/CarePlan.cu"),
        *("system/DocumentReference.c", "system/DocumentReference.u", "system/DocumentReference.cu"),
    }


def test_no_client_has_another_way_in_than_its_key(wish: Wish) -> None:
    clients = wanted(wish)[Kind.CLIENT]
    assert clients.pop(ADMIN_CLI) == {"directAccessGrantsEnabled": False}
    for name, client in clients.items():
        assert client["clientAuthenticatorType"] == "client-jwt"
        assert not any(client[flow] for flow in ("publicClient", "standardFlowEnabled", "implicitFlowEnabled"))
        assert client["directAccessGrantsEnabled"] == (name == PERSON_CLIENT)
        assert client["attributes"]["token.endpoint.auth.signing.alg"] == "ES384"


def test_keys_are_public_and_passwords_stand_nowhere(wish: Wish) -> None:
    text = json.dumps(wanted(wish))
    clients = [client for client in wanted(wish)[Kind.CLIENT].values() if "attributes" in client]
    sets = [json.loads(client["attributes"]["jwks.string"]) for client in clients]
    assert all(set(key) == {"kty", "crv", "x", "y", "kid", "use"} for one in sets for key in one["keys"])
    assert PASSWORD not in text
    assert PASSWORD not in repr(wish)


def test_a_partners_keys_may_be_at_its_own_address(wish: Wish, tmp_path: Path) -> None:
    url = "https://psychology.example.invalid/jwks.json"
    first = REGION.clients[0].model_copy(update={"jwks_url": url, "signing_algorithm": "RS384"})
    region = REGION.model_copy(update={"clients": [first, *REGION.clients[1:]]})
    attributes = wanted(replace(wish, region=region))[Kind.CLIENT][first.id]["attributes"]
    assert (attributes["use.jwks.url"], attributes["jwks.url"]) == ("true", url)
    assert attributes["token.endpoint.auth.signing.alg"] == "RS384"
    assert "jwks.string" not in attributes


def test_an_rsa_key_pins_its_algorithm_and_a_set_may_hold_two(folder: Path, tmp_path: Path) -> None:
    keys = [RSAKey.generate_key(2048), RSAKey.generate_key(2048)]
    (tmp_path / "x.jwk.json").write_text(json.dumps({"keys": [key.as_dict(private=False) for key in keys]}))
    found = Keys(tmp_path).of("x", ("RS384", "ES384"))
    assert found.algorithm == "RS384"
    assert len({key["kid"] for key in json.loads(found.jwks)["keys"]}) == 2


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (ECKey.generate_key("P-256"), "don't fit"),
        (OctKey.generate_key(256), "shared secret"),
        (None, "no public key"),
    ],
)
def test_a_key_that_doesnt_fit_is_said(tmp_path: Path, key: ECKey | OctKey | None, words: str) -> None:
    if key is not None:
        write_key(tmp_path, "x", key)
    with pytest.raises(OperatorError, match=words):
        Keys(tmp_path).of("x", ("ES384", "RS384"))


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"kty": "EC"}', '{"keys": [1]}', '{"keys": []}'])
def test_a_file_without_a_key_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.jwk.json").write_text(text)
    with pytest.raises(OperatorError):
        Keys(tmp_path).of("x", ("ES384", "RS384"))


def test_people_must_fit_the_region_and_have_a_password(wish: Wish) -> None:
    person = next(iter((wish.demo or {}).values()))
    nowhere = person.ecm_roles[0].model_copy(update={"yot": "nowhere"})
    stranger = person.model_copy(update={"agency": "elsewhere", "ecm_roles": [nowhere]})
    with pytest.raises(OperatorError, match=r"no YOT 'nowhere'.*no agency 'elsewhere'"):
        wanted(replace(wish, demo={stranger.id: stranger}))
    with pytest.raises(OperatorError, match="ECM_KEYCLOAK_PEOPLE_PASSWORD_FILE"):
        wanted(replace(wish, password="short"))
