"""The parts of a region file, each frozen and closed: an unknown key is a fault, never ignored."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ecm.kit.scopes import SCOPES, is_scope

Slug = Annotated[str, Field(pattern=r"^[a-z0-9-]{2,20}$")]
Id = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$")]
Purpose = Literal["direct-care", "safeguarding", "planning", "monitoring", "research"]
AgencyKind = Literal[
    "youth-offending-team", "psychology", "local-authority", "custody", "health", "education", "police", "other"
]
Role = Literal[
    "case-manager",
    "senior-practitioner",
    "operational-manager",
    "supervisor",
    "yot-manager",
    "analyst",
    "data-protection-officer",
    "administrator",
]


def _in_catalogue(scope: str) -> str:
    if not is_scope(scope):
        raise ValueError(f"{scope!r} isn't in the catalogue of scopes (ecm.kit.scopes)")
    return scope


Scope = Annotated[str, AfterValidator(_in_catalogue), Field(json_schema_extra={"enum": list(SCOPES)})]


class Part(BaseModel):
    """A frozen mapping without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Agency(Part):
    """An organization that takes part."""

    id: Id
    name: str = Field(min_length=1)
    kind: AgencyKind
    ods: str | None = Field(default=None, pattern=r"^[A-Z0-9]{3,10}$", description="ODS code, where it has one.")


class Yot(Part):
    """A youth offending team; `agency` is the same organization as an agency."""

    id: Id
    agency: Id
    name: str = Field(min_length=1)


class RoleBindings(Part):
    """Which YOT roles are the ECM panel here (checklist 7); where none is named, those that the policy admits."""

    panel: list[Role] = []


class Criteria(Part):
    """One version of the criteria for referral (checklist 15-28)."""

    version: int = Field(ge=1)
    effective_from: date
    minimum_involvement_months: int = Field(ge=0, le=60)
    disposals: list[Id]
    exclude: list[Id]


class Referral(Part):
    """Which optional steps a referral takes here."""

    panel_approval: bool = False
    central_sift: bool = False


class Consent(Part):
    """The region's rule for signatures and identifiers."""

    second_signature_under: int = Field(default=16, ge=0, le=18)
    second_signature_required: bool = True
    nhs_number_check: Literal["strict", "warn", "off"] = "strict"
    leaflet_versions: list[str] = []


class Deadlines(Part):
    """How long things may take."""

    report_months_after_meeting: int = Field(default=1, ge=1, le=12)
    override_hours: int = Field(default=72, ge=1, le=72)


class RecoveryModel(Part):
    """The recovery model whose stages are recorded."""

    code: Id
    version: str
    name: str
    stages: list[int] = Field(min_length=1)


class Practitioner(Part):
    """A registered professional whom a client may assert as author."""

    id: Id
    name: str
    registration_system: str
    registration: str


class Client(Part):
    """One partner system: one per agency and purpose."""

    id: Id
    agency: Id
    purpose: Purpose
    scopes: list[Scope]
    asserts: list[Id] = Field(default=[], description="Registers whose practitioners it may assert, e.g. hcpc.")
    practitioners: list[Practitioner] = []
    topic: bool = Field(default=False, description="Whether it has a Kafka topic of its own.")
    jwks_url: str = Field(
        default="",
        pattern=r"^(https://[^\s?#]+)?$",
        description="Where Keycloak fetches its public keys; without it they are given to ecm keycloak sync by file.",
    )
    signing_algorithm: Literal["ES384", "RS384"] = Field(
        default="ES384", description="What it signs assertions with, where its keys come from jwks_url."
    )
    requests_per_second: float | None = Field(
        default=None, ge=0.1, le=100_000, description="How often it may ask, instead of ECM_CLIENT_REQUESTS_PER_SECOND."
    )
