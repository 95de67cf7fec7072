"""How `ecm keycloak sync` reaches Keycloak: from the environment and from files, never from arguments."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from ecm.admin.errors import OperatorError


class KeycloakSettings(BaseSettings):
    """An administrator: a client with its secret, or else a person with a password."""

    model_config = SettingsConfigDict(env_prefix="ECM_KEYCLOAK_", frozen=True, extra="ignore")

    admin_realm: str = "master"
    admin_username: str = "admin"
    admin_password: SecretStr | None = None
    admin_password_file: Path | None = None
    admin_client_id: str = ""
    admin_client_secret: SecretStr | None = None
    admin_client_secret_file: Path | None = None
    people_password_file: Path | None = None

    def password(self) -> str:
        """The administrator's password. Raises `OperatorError` where none is given."""
        return _secret("ECM_KEYCLOAK_ADMIN_PASSWORD", self.admin_password, self.admin_password_file)

    def client_secret(self) -> str:
        """The administrative client's secret. Raises `OperatorError` where none is given."""
        return _secret("ECM_KEYCLOAK_ADMIN_CLIENT_SECRET", self.admin_client_secret, self.admin_client_secret_file)

    def people_password(self) -> str:
        """The demo people's password; empty where none is given."""
        path = self.people_password_file
        return _read("ECM_KEYCLOAK_PEOPLE_PASSWORD_FILE", path) if path else ""


def _secret(name: str, value: SecretStr | None, path: Path | None) -> str:
    if path is not None:
        return _read(f"{name}_FILE", path)
    if value is None:
        raise OperatorError("Keycloak's administrator isn't known.", f"Set {name}_FILE, or {name}.")
    return value.get_secret_value()


def _read(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise OperatorError(f"{name} names {path}, which can't be read: {error.strerror}.", "Correct it.") from None
