"""A region that `ecm up` doesn't keep: its secrets, and the commands that bring its infrastructure to it."""

import json
import stat
from pathlib import Path

import asyncpg
import pytest

from ecm.admin import credentials, provisioning
from ecm.admin.deployment import Deployment
from ecm.admin.errors import OperatorError
from ecm.admin.names import KEYCLOAK, app_role, database, owner_role
from ecm.admin.paths import SecretPaths
from ecm.kit.names import SERVICES
from ecm.local.stack import Stack

CLIENTS = ["nhs-psychology", "la-eastvale"]


def files(folder: Path) -> dict[str, bytes]:
    """Every file by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def described(folder: Path, infrastructure: Stack, **changed: str) -> Deployment:
    """The session's infrastructure as a deployment, by a file in a folder."""
    places = {
        "ECM_REGION_FILE": str(infrastructure.plan.region),
        "ECM_SECRETS": str(infrastructure.paths.root),
        "ECM_POSTGRES_ADDRESS": infrastructure.addresses["postgres"],
        "ECM_KAFKA_BOOTSTRAP": infrastructure.addresses.get("kafka", ""),
        **changed,
    }
    file = folder / "somewhere.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in places.items()))
    return Deployment.described(file)


def test_secrets_are_their_owners_and_made_once(tmp_path: Path) -> None:
    paths = SecretPaths(tmp_path / "secrets")
    credentials.ensure_for_containers(paths, CLIENTS[:1])
    made = files(paths.root)
    assert stat.S_IMODE(paths.root.stat().st_mode) == 0o700
    # Within it, whoever is given a file by a mount can read it, and nobody can write.
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths.root.rglob("*") if path.is_file()} == {0o444}
    credentials.ensure_for_containers(paths, CLIENTS)
    again = files(paths.root)
    kept = {name: content for name, content in again.items() if name in made and name != "passwords.json"}
    assert kept == {name: content for name, content in made.items() if name != "passwords.json"}
    assert set(again) - set(made) == {
        "kafka/la-eastvale",
        "keys/clients/la-eastvale.jwk.json",
        "public/la-eastvale.jwk.json",
    }


def test_a_password_stands_in_its_file_and_no_private_key_among_the_public(tmp_path: Path) -> None:
    paths = SecretPaths(tmp_path / "secrets")
    credentials.ensure_for_containers(paths, CLIENTS)
    for system, known in credentials.passwords(paths).items():
        assert {name: (paths.root / system / name).read_text() for name in known} == known
    for path in (paths.root / "public").iterdir():
        assert "d" not in json.loads(path.read_text())
    assert len(set(files(paths.root).values())) == len(files(paths.root)), "no two secrets are the same"


async def test_databases_are_made_and_migrated(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, repository: Path
) -> None:
    with Stack.start(tmp_path_factory.mktemp("bare"), parts=("postgres",), fresh_ports=True) as bare:
        # Passwords that the server doesn't have yet, but for the superuser's.
        secrets = SecretPaths(tmp_path / "secrets")
        credentials.ensure_for_containers(secrets, CLIENTS)
        wanted = credentials.passwords(secrets)
        wanted["postgres"][credentials.SUPERUSER] = credentials.passwords(bare.paths)["postgres"]["postgres"]
        secrets.passwords_file.chmod(0o600)
        secrets.passwords_file.write_text(json.dumps(wanted))
        deployment = described(tmp_path, bare, ECM_SECRETS="secrets")
        told: list[str] = []
        for _ in range(2):
            await provisioning.sync_databases(deployment)
            await provisioning.migrate_databases(deployment, told.append)
        assert told == [*SERVICES, *SERVICES]
        roles = {app_role(service): database(service) for service in SERVICES} | {KEYCLOAK: KEYCLOAK}
        for role, name in roles.items():
            url = f"postgresql://{role}:{wanted['postgres'][role]}@{bare.addresses['postgres']}/{name}"
            connection = await asyncpg.connect(url)
            await connection.close()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(url, database=database("consent"))


async def test_what_was_not_synced_cannot_be_migrated(tmp_path: Path, infrastructure: Stack) -> None:
    secrets = SecretPaths(tmp_path / "secrets")
    credentials.ensure_for_containers(secrets, CLIENTS)
    deployment = described(tmp_path, infrastructure, ECM_SECRETS="secrets")
    with pytest.raises(OperatorError, match=f"{SERVICES[0]} can't be migrated"):
        await provisioning.migrate_databases(deployment, lambda _: None)
    assert owner_role(SERVICES[0]) in credentials.passwords(secrets)["postgres"]


def test_kafka_is_synced_by_the_same_rules(tmp_path: Path, infrastructure: Stack) -> None:
    assert provisioning.sync_kafka(described(tmp_path, infrastructure)) == 19


def test_a_description_says_what_it_lacks(tmp_path: Path, infrastructure: Stack) -> None:
    with pytest.raises(OperatorError, match="There is no file"):
        Deployment.described(tmp_path / "nothing.env")
    (tmp_path / "half.env").write_text("ECM_SECRETS=secrets\n")
    with pytest.raises(OperatorError, match="lacks ECM_REGION_FILE"):
        Deployment.described(tmp_path / "half.env")
    with pytest.raises(OperatorError, match="holds no passwords of kafka"):
        described(tmp_path, infrastructure, ECM_SECRETS="none").kafka("nhs-psychology")


def test_the_environment_goes_before_the_file(
    tmp_path: Path, infrastructure: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECM_EXCHANGE_ADDRESS", "127.0.0.1:1")
    assert described(tmp_path, infrastructure, ECM_EXCHANGE_ADDRESS="x:2").addresses["exchange"] == "127.0.0.1:1"
