"""Every secret of one region: made once, kept in files that only its owner reads."""

import json
import secrets
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey

from ecm.admin.files import private_directory, read_json, write_private, write_private_json
from ecm.admin.names import KAFKA_ADMIN, KEYCLOAK, PERSON_CLIENT, app_role, owner_role
from ecm.admin.paths import SecretPaths
from ecm.kit.names import SERVICE_CLIENTS, SERVICES

EXCHANGE_KEYS = ("pseudonym", "audit", "cursor")
SUPERUSER = "postgres"
SYSTEMS = ("postgres", "kafka", "keycloak")
KEYCLOAK_ADMIN = "administrator"


def ensure(paths: SecretPaths, clients: list[str]) -> None:
    """Make what is missing, change nothing that is there."""
    private_directory(paths.keys)
    private_directory(paths.keys / "clients")
    _ensure_passwords(paths, clients)
    _ensure_key(paths.issuer_key, "P-256", "ES256")
    for client in (*SERVICE_CLIENTS, PERSON_CLIENT, *clients):
        _ensure_key(paths.client_key(client), "P-384", "ES384")
    for file in (*map(paths.exchange_key, EXCHANGE_KEYS), paths.people_password):
        _ensure_secret(file)


def ensure_for_containers(paths: SecretPaths, clients: list[str]) -> None:
    """What `ensure` makes, and besides: Keycloak's passwords, a file for every password, clients' public keys.

    Containers read these as numeric users of their own: the folder stays its owner's alone, and what stands in it
    may be read by whoever is given it by a mount.
    """
    private_directory(paths.root)
    ensure(paths, clients)
    _ensure_keycloak(paths)
    for system, known in passwords(paths).items():
        for name, password in known.items():
            _put(paths.root / system / name, password)
    for private in sorted((paths.keys / "clients").glob("*.jwk.json")):
        public = ECKey.import_key(json.loads(private.read_text(encoding="utf-8"))).as_dict(private=False)
        _put(paths.root / "public" / private.name, json.dumps(public))
    for path in paths.root.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o444)


def _put(path: Path, content: str) -> None:
    path.parent.mkdir(exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != content:
        write_private(path, content)


def _ensure_keycloak(paths: SecretPaths) -> None:
    found = passwords(paths)
    found["postgres"].setdefault(KEYCLOAK, _password())
    found["keycloak"].setdefault(KEYCLOAK_ADMIN, _password())
    write_private_json(paths.passwords_file, found)


def passwords(paths: SecretPaths) -> dict[str, dict[str, str]]:
    """`{"postgres": {role: password}, "kafka": {principal: password}, "keycloak": {who: password}}`."""
    found: dict[str, dict[str, str]] = read_json(paths.passwords_file) or {}
    return {system: found.get(system, {}) for system in SYSTEMS}


def _ensure_passwords(paths: SecretPaths, clients: list[str]) -> None:
    known = passwords(paths)
    roles = [SUPERUSER, *(role(service) for service in SERVICES for role in (owner_role, app_role))]
    principals = [KAFKA_ADMIN, *SERVICE_CLIENTS, *clients]
    wanted = {
        **known,
        "postgres": {**known["postgres"], **{role: known["postgres"].get(role) or _password() for role in roles}},
        "kafka": {name: known["kafka"].get(name) or _password() for name in principals},
    }
    if wanted != known:
        write_private_json(paths.passwords_file, wanted)


def _password() -> str:
    # Letters and digits alone: nothing has to be quoted in SQL, JAAS, a URL or Kafka's --add-scram.
    return secrets.token_hex(24)


def _ensure_key(path: Path, curve: str, algorithm: str) -> None:
    if path.exists():
        return
    parameters: Any = {"use": "sig", "alg": algorithm, "kid": secrets.token_hex(8)}
    key = ECKey.generate_key(curve, parameters, private=True)
    write_private_json(path, key.as_dict(private=True))


def _ensure_secret(path: Path) -> None:
    if not path.exists():
        write_private(path, secrets.token_hex(32) + "\n")
