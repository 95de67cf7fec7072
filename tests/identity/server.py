"""Keycloak itself, as a process: its distribution by Maven, built once, started with an empty database."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from joserfc.jwk import RSAKey
from keycloak import KeycloakAdmin
from pydantic import SecretStr

from ecm.admin.keycloak.settings import KeycloakSettings
from ecm.admin.keycloak.sync import Sync, connect, look
from ecm.admin.keycloak.wanted import Wish
from ecm.local import spawn
from ecm.local.paths import StatePaths
from ecm.local.plan import Plan
from ecm.local.ports import free_ports
from ecm.local.realm import wish

ROOT = Path(__file__).parents[2]
PROJECT = Path(__file__).with_name("pom.xml")
BUILT = ROOT / "build" / "keycloak"
START_SECONDS = 300.0
STOP_SECONDS = 60.0
HEAP = "-Xms64m -Xmx512m"


def missing_tools() -> str:
    """Which of Java and Maven aren't there; empty where both are."""
    return ", ".join(tool for tool in ("java", "mvn") if shutil.which(tool) is None)


@dataclass(frozen=True, slots=True)
class Keycloak:
    """A running Keycloak and its administrator's password."""

    url: str
    password: str

    @property
    def settings(self) -> KeycloakSettings:
        """As `ecm keycloak sync` reads them from its environment."""
        return KeycloakSettings(admin_password=SecretStr(self.password))

    def realm_url(self, realm: str) -> str:
        """The issuer's name of a realm."""
        return f"{self.url}/realms/{realm}"

    def admin(self, realm: str) -> KeycloakAdmin:
        """An administrator at work on a realm."""
        return connect(self.url, self.settings, realm)

    def look(self, wish: Wish) -> Sync:
        """The plan of a realm."""
        return look(self.url, self.settings, wish)


def wish_of(paths: StatePaths, plan: Plan, **region: Any) -> Wish:
    """What a state's realm must hold; `region` changes fields of the region file, `slug` for a realm of its own."""
    return wish(paths, plan, plan.load_region().model_copy(update=region))


def published_key(admin: KeycloakAdmin) -> RSAKey:
    """A key pair of ours that the realm is made to publish beside its own: with it a test signs as Keycloak would."""
    name = f"test-{secrets.token_hex(4)}"
    key = RSAKey.generate_key(2048)
    config = {"privateKey": [key.as_pem(private=True).decode()], "priority": ["-1"], "algorithm": ["RS256"]}
    provider = {"name": name, "providerId": "rsa", "providerType": "org.keycloak.keys.KeyProvider", "config": config}
    component = admin.create_component({**provider, "parentId": admin.get_realm(admin.get_current_realm())["id"]})
    kid = next(one["kid"] for one in admin.get_keys()["keys"] if one["providerId"] == component)
    return RSAKey.import_key(key.as_dict(private=True), {"kid": kid})


def start(log: Path) -> tuple[Keycloak, subprocess.Popen[bytes]]:
    """Start it and wait until it answers. It ends with this process."""
    home = distribution()
    port, management = free_ports(2)
    made = Keycloak(f"http://127.0.0.1:{port}", secrets.token_hex(24))
    options = [
        *("--http-enabled=true", "--http-host=127.0.0.1", f"--http-port={port}", f"--hostname={made.url}"),
        *("--http-management-host=127.0.0.1", f"--http-management-port={management}", "--cache=local"),
    ]
    secret = {"KC_BOOTSTRAP_ADMIN_USERNAME": "admin", "KC_BOOTSTRAP_ADMIN_PASSWORD": made.password}
    launcher = [sys.executable, "-I", "-S", str(spawn.LAUNCHER), str(os.getpid()), str(int(signal.SIGTERM)), "-1", "-1"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*launcher, str(home / "bin" / "kc.sh"), "start", "--optimized", *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **secret, "JAVA_OPTS_KC_HEAP": HEAP},
            start_new_session=True,
        )
    _await(made, process, log)
    return made, process


def stop(process: subprocess.Popen[bytes]) -> None:
    """End it."""
    process.terminate()
    process.wait(STOP_SECONDS)


def distribution() -> Path:
    """Keycloak's folder, fetched and built where it isn't; Maven's repository is `ECM_M2`, else the clone's own."""
    ready = BUILT / "ready"
    if not ready.exists() or ready.stat().st_mtime < PROJECT.stat().st_mtime:
        shutil.rmtree(BUILT, ignore_errors=True)
        repository = os.environ.get("ECM_M2") or ROOT / ".cache" / "m2"
        command = ["mvn", "-q", "-B", f"-Dmaven.repo.local={repository}", "-f", str(PROJECT), "dependency:unpack"]
        subprocess.run(command, check=True)
        (home,) = BUILT.glob("keycloak-*")
        build = [str(home / "bin" / "kc.sh"), "build", "--db=dev-mem", "--health-enabled=true"]
        subprocess.run(build, check=True, stdout=subprocess.PIPE)
        ready.write_text(home.name)
    return BUILT / ready.read_text()


def _await(keycloak: Keycloak, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(keycloak.realm_url("master"), timeout=5, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    process.terminate()
    raise AssertionError(f"Keycloak doesn't answer; the end of its log:\n{log.read_text()[-3000:]}")
