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
    # Connections that disclose. Few: each shares its calls among the requests that wait; no agency has all of them.
    release_writers: int = 3
    # Of each client, in this process; 0: no limit. The region file may say otherwise for a client. What a read costs
    # is one request, a resource on a page an eighth.
    client_requests_per_second: float = 500.0
    # The others wait for their turn.
    client_requests_at_once: int = 16
    # Of one network address, where no proxy stands before the exchange: refused tokens, requests without any, and
    # connections.
    bad_tokens_per_second: float = 20.0
    nameless_requests_per_second: float = 50.0
    address_connections: int = 1_024

    @property
    def base(self) -> str:
        """The FHIR base without a slash at its end; the only audience of partners' tokens."""
        return self.fhir_base.rstrip("/")
