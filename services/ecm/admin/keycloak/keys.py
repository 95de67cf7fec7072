"""The public keys of clients: from the region file by URL, or from a folder of JWKs."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from ecm.admin.errors import OperatorError
from ecm.admin.keycloak.configuration import as_text

# SMART Backend Services names these two for partners; services are ours.
PARTNER = ("ES384", "RS384")
SERVICE = ("ES256", "ES384", "RS384")
_BY_CURVE = {"P-256": "ES256", "P-384": "ES384"}


@dataclass(frozen=True, slots=True)
class Registration:
    """How a client proves itself: the one algorithm, and its keys as a JWK set (JSON) or by URL."""

    algorithm: str
    jwks: str = ""
    jwks_url: str = ""


@dataclass(frozen=True, slots=True)
class Keys:
    """A folder of `<client>.jwk.json`, each a JWK or a JWK set; of a private one the public half is used."""

    folder: Path | None

    def of(self, client: str, allowed: tuple[str, ...]) -> Registration:
        """A client's registration. Raises `OperatorError` where there is no fitting key."""
        if self.folder is None or not (path := self.folder / f"{client}.jwk.json").is_file():
            raise OperatorError(
                f"The client {client} has no public key.",
                f"Put it into {client}.jwk.json in {self.folder or 'a folder given by --keys'}, "
                "or its jwks_url into the region file.",
            )
        public = [_public(path, key) for key in _listed(path)]
        algorithms = {_algorithm(key) for key in public}
        if len(algorithms) != 1 or not algorithms <= set(allowed):
            raise OperatorError(
                f"{path} holds keys that don't fit.", f"Keys of one algorithm, of these: {', '.join(allowed)}."
            )
        return Registration(algorithms.pop(), jwks=as_text({"keys": public}))


def _listed(path: Path) -> list[dict[str, Any]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return list(content["keys"]) if "keys" in content else [content]
    except (OSError, ValueError, TypeError) as error:
        message = f"{path} can't be read as JSON ({type(error).__name__})."
        raise OperatorError(message, "It is to hold a JWK or a JWK set.") from None


def _public(path: Path, content: dict[str, Any]) -> dict[str, Any]:
    """The public half, with its key id: Keycloak finds keys by it."""
    try:
        key = JWKRegistry.import_key(content)
    except (JoseError, KeyError, ValueError, TypeError):
        raise OperatorError(f"{path} holds no JWK.", "Make one of P-384 or RSA, with kid.") from None
    if not isinstance(key, ECKey | RSAKey):
        raise OperatorError(f"{path} holds a shared secret.", "A client has a key pair of P-384 or RSA.")
    key.ensure_kid()
    return {**key.as_dict(private=False), "use": "sig"}


def _algorithm(public: dict[str, Any]) -> str:
    return "RS384" if public["kty"] == "RSA" else _BY_CURVE.get(public.get("crv", ""), "")
