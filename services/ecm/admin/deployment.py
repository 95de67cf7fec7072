"""A region that `ecm up` doesn't keep, described by a file of `ECM_…=…` lines: in containers, or anywhere else."""

from pathlib import Path
from typing import Self

from pydantic import ValidationError

from ecm.admin import credentials
from ecm.admin.errors import OperatorError
from ecm.admin.paths import SecretPaths
from ecm.admin.region import read_region
from ecm.admin.running import KafkaCredentials
from ecm.admin.tokens import TokenDesk
from ecm.kit.names import SERVICES
from ecm.kit.region import Region
from ecm.kit.settings import Settings


class Places(Settings):
    """Where the parts of a region are, as whoever reads this reaches them. The environment goes before the file.

    Addresses are `host:port`, `secrets` is a folder as `ecm secrets init` makes it, or as much of one as is needed.
    """

    region_file: Path
    secrets: Path
    fhir_base: str = ""
    issuer: str = ""
    token_url: str = ""
    postgres_address: str = ""
    kafka_bootstrap: str = ""
    referrals_address: str = ""
    consent_address: str = ""
    formulation_address: str = ""
    monitoring_address: str = ""
    exchange_address: str = ""


class Deployment:
    """A region that serves somewhere: addresses, its region file and its secrets."""

    def __init__(self, places: Places, base: Path) -> None:
        self.places = places
        self.paths = SecretPaths(base / places.secrets)
        self.region_file = base / places.region_file

    @classmethod
    def described(cls, file: Path) -> Self:
        """What a file says; paths in it start from its own folder. Raises `OperatorError`."""
        if not file.is_file():
            raise OperatorError(f"There is no file {file}.", "deploy/compose/outside.env is one.")
        try:
            places = Places(_env_file=file)
        except ValidationError as error:
            missing = ", ".join(f"ECM_{str(fault['loc'][0]).upper()}" for fault in error.errors())
            raise OperatorError(f"{file} lacks {missing}.", "See deploy/compose/outside.env.") from None
        return cls(places, file.resolve().parent)

    @property
    def keycloak(self) -> str:
        """The issuer's name: a deployment's is a realm of Keycloak."""
        return self.places.issuer

    @property
    def issuer(self) -> str:
        """The issuer's name."""
        return self.places.issuer

    @property
    def token_url(self) -> str:
        """Where the issuer gives tokens, as whoever reads this reaches it."""
        return self.places.token_url or f"{self.issuer}/protocol/openid-connect/token"

    @property
    def folder(self) -> Path:
        """Where drawings go: `build` of the current folder."""
        return Path("build")

    @property
    def addresses(self) -> dict[str, str]:
        """`host:port` by part; of the issuer the URL; `fhir`: the FHIR base."""
        places = self.places
        services = {service: getattr(places, f"{service}_address") for service in SERVICES}
        parts = {"postgres": places.postgres_address, "kafka": places.kafka_bootstrap, "issuer": places.issuer}
        return {**services, **parts, "fhir": places.fhir_base}

    def load_region(self) -> Region:
        """The region file's content. Raises `OperatorError` where it isn't right."""
        return read_region(self.region_file)

    def passwords(self, system: str) -> dict[str, str]:
        """Passwords by role or principal. Raises `OperatorError` where the secrets hold none."""
        found = credentials.passwords(self.paths)[system]
        if not found:
            raise OperatorError(f"{self.paths.passwords_file} holds no passwords of {system}.", "Run ecm secrets init.")
        return found

    def token(self, *, client: str = "", person: str = "", scope: str = "", audience: str = "") -> str:
        """An access token of a partner, of a service for `audience`, or of a person. Raises `OperatorError`."""
        desk = TokenDesk(self.paths, self)
        return desk.person(person) if person else desk.client(client, scope, audience)

    def kafka(self, principal: str) -> KafkaCredentials:
        """Credentials of a client, a service or `ecm-admin`. Raises `OperatorError` where there are none."""
        known = self.passwords("kafka")
        if principal not in known:
            raise OperatorError(f"Kafka knows no {principal!r}.", f"It knows: {', '.join(sorted(known))}.")
        return KafkaCredentials(self.places.kafka_bootstrap, principal, known[principal])
