"""Where the secrets of a region stand."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SecretPaths:
    """The files of one region's secrets, in a folder that only its owner may enter (0700)."""

    root: Path

    @property
    def passwords_file(self) -> Path:
        """Passwords of PostgreSQL roles and Kafka principals."""
        return self.root / "passwords.json"

    @property
    def keys(self) -> Path:
        """Private keys: one JWK per client, the issuer's, the exchange's secrets."""
        return self.root / "keys"

    @property
    def issuer_key(self) -> Path:
        """The private JWK by which the local issuer signs."""
        return self.keys / "issuer.jwk.json"

    @property
    def people_password(self) -> Path:
        """The demo people's one password, which only Keycloak asks for."""
        return self.keys / "people.password"

    def client_key(self, client: str) -> Path:
        """The private JWK of one client of the issuer."""
        return self.keys / "clients" / f"{client}.jwk.json"

    def exchange_key(self, name: str) -> Path:
        """One of the exchange's 32-byte keys (hexadecimal)."""
        return self.keys / f"exchange-{name}.key"
