"""What one state is to run. Remembered in its directory, so that `ecm up` serves it again as it was."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ecm.admin.errors import OperatorError
from ecm.admin.files import read_json, write_private
from ecm.admin.region import read_region
from ecm.kit.names import SERVICES
from ecm.kit.region import Region
from ecm.local import ports
from ecm.local.names import ALL_PARTS
from ecm.local.paths import StatePaths


class Plan(BaseModel):
    """Parts, ports and settings of one state.

    `settings` overrides environment variables, by part; of `kafka`, the `advertised` address. `keycloak` is the URL
    of a realm (`…/realms/example`) that stands in place of the part `issuer`.
    """

    model_config = ConfigDict(frozen=True)

    region: Path
    parts: tuple[str, ...] = ALL_PARTS
    ports: dict[str, int] = {}
    lease_seconds: float | None = None
    settings: dict[str, dict[str, str]] = {}
    keycloak: str = ""

    def load_region(self) -> Region:
        """The region file's content. Raises `OperatorError` where it isn't right."""
        return read_region(self.region)

    @property
    def services(self) -> tuple[str, ...]:
        """The services among the parts, in the order of starting."""
        return tuple(part for part in self.parts if part in SERVICES)

    @property
    def issuer(self) -> str:
        """The issuer's name: what stands in tokens as `iss`."""
        return self.keycloak or f"http://127.0.0.1:{self.ports['issuer']}"

    @property
    def jwks_url(self) -> str:
        """Where the issuer publishes its keys."""
        return f"{self.keycloak}/protocol/openid-connect/certs" if self.keycloak else f"{self.issuer}/jwks.json"

    @property
    def token_url(self) -> str:
        """Where the issuer gives tokens."""
        return f"{self.issuer}/protocol/openid-connect/token" if self.keycloak else f"{self.issuer}/token"

    @property
    def fhir_base(self) -> str:
        """Base URL of the FHIR API, the only audience of partners' tokens."""
        return f"http://127.0.0.1:{self.ports[ports.HTTP]}/fhir"

    def address(self, part: str) -> str:
        """Where a part listens: `host:port`, an URL for the issuer."""
        return self.issuer if part == "issuer" else f"127.0.0.1:{self.ports[part]}"


def load(paths: StatePaths) -> Plan | None:
    """The remembered plan, None for a new state."""
    content = read_json(paths.plan_file)
    if content is None:
        return None
    try:
        return Plan.model_validate(content)
    except ValidationError as error:
        raise OperatorError(
            f"{paths.plan_file} isn't right: {error}", "Delete it; databases and topics stay."
        ) from error


def save(paths: StatePaths, plan: Plan) -> None:
    """Remember a plan."""
    write_private(paths.plan_file, plan.model_dump_json(indent=2) + "\n")


def revise(
    old: Plan | None,
    *,
    region: Path | None,
    chosen_ports: Mapping[str, int] | None = None,
    fresh_ports: bool = False,
    parts: Sequence[str] = ALL_PARTS,
    lease_seconds: float | None = None,
    settings: Mapping[str, Mapping[str, str]] | None = None,
    keycloak: str | None = None,
) -> Plan:
    """A complete plan: what is said here wins, the rest is as before, and every port is decided."""
    file = region or (old.region if old else None)
    if file is None:
        raise OperatorError("Which region?", "Say it: --region FILE (deploy/regions/example/region.yaml in a clone).")
    if unknown := sorted(set(parts) - set(ALL_PARTS)):
        raise OperatorError(f"There is no part {unknown[0]!r}.", f"Parts are: {', '.join(ALL_PARTS)}.")
    remembered = old.ports if old else {}
    realm = keycloak if keycloak is not None else (old.keycloak if old else "")
    if fresh_ports:
        remembered = {ports.HTTP: remembered[ports.HTTP]} if ports.HTTP in remembered else {}
    return Plan(
        region=file.resolve(),
        parts=tuple(part for part in ALL_PARTS if part in parts and not (realm and part == "issuer")),
        ports=ports.choose({**remembered, **(chosen_ports or {})}),
        lease_seconds=lease_seconds if lease_seconds is not None else (old.lease_seconds if old else None),
        settings=_settings(old, settings),
        keycloak=realm,
    )


def _settings(old: Plan | None, new: Mapping[str, Mapping[str, str]] | None) -> dict[str, dict[str, str]]:
    if new is None:
        return old.settings if old else {}
    return {part: dict(values) for part, values in new.items()}
