"""Settings that every service reads from its environment, once, in `app.py`."""

from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """The variables of docs/architecture.md, "Settings".

    A service subclasses it and sets `service`. Secrets are `SecretStr`: neither
    `repr` nor a log line shows them.
    """

    model_config = SettingsConfigDict(env_prefix="ECM_", frozen=True, extra="ignore")

    service: ClassVar[str] = ""

    region_file: Path
    database_url: SecretStr
    database_owner_url: SecretStr | None = None
    database_pool_size: int = 5
    listen: str = "127.0.0.1:0"

    kafka_bootstrap: str
    kafka_username: str
    kafka_password: SecretStr

    issuer: str
    jwks_url: str
    token_url: str
    client_key_file: Path | None = None

    referrals_address: str = ""
    consent_address: str = ""
    formulation_address: str = ""
    monitoring_address: str = ""
    exchange_address: str = ""

    # Of each person, in this process; 0: no limit.
    calls_per_second: float = 500.0

    metrics_listen: str = ""
    log_level: str = "INFO"
    stop_seconds: float = 10.0

    @property
    def client_id(self) -> str:
        """This service's client id at the issuer and its principal in Kafka."""
        return f"ecm-{self.service}"

    @property
    def audience(self) -> str:
        """What `aud` of a token must name to open this service."""
        return self.client_id

    def address_of(self, service: str) -> str:
        """The gRPC target of another service, by its short name."""
        address: str = getattr(self, f"{service}_address")
        if not address:
            raise ValueError(f"ECM_{service.upper()}_ADDRESS isn't set, and ecm-{self.service} calls {service}.")
        return address


def service_topic(region_slug: str, service: str) -> str:
    """The internal topic of one service's thin events."""
    return f"ecm.{region_slug}.{service}.v1"


def client_topic(region_slug: str, client: str) -> str:
    """The topic of one partner client."""
    return f"ecm.{region_slug}.client.{client}.v1"


def dead_letter_topic(topic: str, consumer: str) -> str:
    """Where `consumer` (a service's short name) puts the events of `topic` that it can't handle."""
    return f"{topic}.{consumer}.dlq"
