"""Settings that every service reads from its environment, once, in `app.py`."""

import os
from pathlib import Path
from typing import Any, ClassVar

from pydantic import SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy.engine import make_url

from ecm.kit.names import service_client

SECRETS_DIR = "ECM_SECRETS_DIR"
"""Names a folder of files, each called like a variable in lower case and holding its value: `ecm_kafka_password`."""


class Settings(BaseSettings):
    """`ECM_*` variables; what the environment lacks is looked for in the files of `ECM_SECRETS_DIR`, if that is set."""

    model_config = SettingsConfigDict(env_prefix="ECM_", frozen=True, extra="ignore")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The order in which a value is looked for."""
        usual = (init_settings, env_settings, dotenv_settings)
        folder = os.environ.get(SECRETS_DIR)
        return (*usual, SecretsSettingsSource(settings_cls, folder)) if folder else usual


class ServiceSettings(Settings):
    """The variables of docs/architecture.md, "Settings".

    A service subclasses it and sets `service`. Secrets are `SecretStr`: neither
    `repr` nor a log line shows them.
    """

    service: ClassVar[str] = ""

    region_file: Path
    database_url: SecretStr
    database_password: SecretStr | None = None
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

    @model_validator(mode="before")
    @classmethod
    def _with_password(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The database's URL, with the password in it that was given apart."""
        url, password = values.get("database_url"), values.get("database_password")
        if not url or not password:
            return values
        whole = make_url(_plain(url)).set(password=_plain(password))
        return {**values, "database_url": SecretStr(whole.render_as_string(hide_password=False))}

    @property
    def client_id(self) -> str:
        """This service's client id at the issuer and its principal in Kafka."""
        return service_client(self.service)

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


def _plain(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
