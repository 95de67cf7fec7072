"""A region that serves, however it was started: what is asked of it, without knowing how."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ecm.kit.region import Region


@dataclass(frozen=True, slots=True)
class KafkaCredentials:
    """What a Kafka client needs: SASL_PLAINTEXT, SCRAM-SHA-512."""

    bootstrap: str
    username: str
    password: str


class RunningRegion(Protocol):
    """A `Stack` that `ecm up` keeps, or a `Deployment` that somebody else does."""

    @property
    def addresses(self) -> dict[str, str]:
        """`host:port` by service; of the issuer the URL; `fhir`: the FHIR base."""

    @property
    def folder(self) -> Path:
        """Where what is drawn for this region may be put; of a region on this machine, its state."""

    def load_region(self) -> Region:
        """The region file's content. Raises `OperatorError` where it isn't right."""

    def token(self, *, client: str = "", person: str = "", scope: str = "", audience: str = "") -> str:
        """An access token of a partner, of a service for `audience`, or of a person. Raises `OperatorError`."""

    def kafka(self, principal: str) -> KafkaCredentials:
        """Credentials of a client or a service. Raises `OperatorError` where there are none."""
