"""Settings of the exchange (docs/architecture.md, "Settings")."""

from pathlib import Path
from typing import ClassVar

from ecm.kit.settings import ServiceSettings


class ExchangeSettings(ServiceSettings):
    """What the exchange reads beyond every service's settings."""

    service: ClassVar[str] = "exchange"

    http_listen: str = "127.0.0.1:8080"
    fhir_base: str = "http://127.0.0.1:8080/fhir"
    # What partners are told, where services reach the issuer by addresses of their own.
    public_token_url: str = ""
    public_jwks_url: str = ""
    lease_seconds: float = 30.0
    pseudonym_key_file: Path
    audit_key_file: Path
    cursor_key_file: Path
    checkpoint_dir: Path
    # Connections that disclose. Few: each shares its calls among the requests that wait.
    release_writers: int = 2
    # Of each client, in this process; 0: no limit. The region file may say otherwise for a client.
    client_requests_per_second: float = 1_000.0
    client_requests_at_once: int = 64
    # Refused tokens of one network address; and its connections, where no proxy stands before the exchange.
    bad_tokens_per_second: float = 20.0
    address_connections: int = 1_024

    @property
    def base(self) -> str:
        """The FHIR base without a slash at its end; the only audience of partners' tokens."""
        return self.fhir_base.rstrip("/")
