"""A region as data: one `region.yaml`, read by every service."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from ecm.kit.agreements import Agreement
from ecm.kit.region_parts import (
    Agency,
    AgencyKind,
    Client,
    Consent,
    Criteria,
    Deadlines,
    Part,
    Practitioner,
    RecoveryModel,
    Referral,
    RoleBindings,
    Slug,
    Yot,
)

__all__ = ["Agency", "Agreement", "Client", "Criteria", "Practitioner", "Region", "RegionError", "Yot"]
__all__ += ["load_region", "parse_region", "region_schema"]


class RegionError(Exception):
    """The region file can't be used; the message says where and why, line by line."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} isn't a time zone of the IANA database, e.g. Europe/London") from None
    return name


class Region(Part):
    """One deployment's configuration. Frozen: a change is a new file and a restart."""

    schema_version: Literal[1]
    slug: Slug
    name: str = Field(min_length=1)
    time_zone: Annotated[str, AfterValidator(_known_zone)]
    languages: list[Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]] = Field(min_length=1)
    local_identifier_base: str = Field(pattern=r"^https?://[^\s?#]+[^\s?#/]$")
    partitions: int = Field(default=6, ge=1, le=64, description="Of every topic; a later change breaks order.")
    dead_letter_days: int | None = Field(
        default=None, ge=1, description="How long Kafka keeps events that a consumer gave up; else for good."
    )
    agencies: list[Agency] = Field(min_length=1)
    yots: list[Yot] = Field(min_length=1)
    role_bindings: RoleBindings = RoleBindings()
    criteria: list[Criteria] = Field(min_length=1)
    referral: Referral = Referral()
    consent: Consent = Consent()
    deadlines: Deadlines = Deadlines()
    recovery_model: RecoveryModel
    clients: list[Client] = Field(default=[])
    agreements: list[Agreement] = Field(default=[])

    @model_validator(mode="after")
    def _hang_together(self) -> "Region":
        faults = [*self._double_ids(), *self._unknown_references()]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _double_ids(self) -> Iterable[str]:
        lists: dict[str, list[Any]] = {
            "agencies": self.agencies,
            "yots": self.yots,
            "clients": self.clients,
            "agreements": self.agreements,
        }
        for name, entries in lists.items():
            ids = [entry.id for entry in entries]
            yield from (
                f"{name}: the id {i!r} stands there twice" for i in sorted({i for i in ids if ids.count(i) > 1})
            )
        versions = [criteria.version for criteria in self.criteria]
        if len(set(versions)) < len(versions):
            yield "criteria: a version stands there twice"

    def _unknown_references(self) -> Iterable[str]:
        known = {agency.id for agency in self.agencies}
        for yot in self.yots:
            if self.agency_kind(yot.agency) != "youth-offending-team":
                yield f"yots: {yot.id!r} names the agency {yot.agency!r}, not a listed youth-offending-team"
        for client in self.clients:
            if client.agency not in known:
                yield f"clients: {client.id!r} has {client.agency!r}, not a listed agency"
        for agreement in self.agreements:
            if agreement.recipient not in known:
                yield f"agreements: {agreement.id!r} has the recipient {agreement.recipient!r}, not a listed agency"
        yield from self._double_purposes()

    def _double_purposes(self) -> Iterable[str]:
        pairs = [(client.agency, client.purpose) for client in self.clients]
        for agency, purpose in sorted({pair for pair in pairs if pairs.count(pair) > 1}):
            yield f"clients: the agency {agency!r} has two clients for the purpose {purpose!r}; one each"

    @property
    def zone(self) -> ZoneInfo:
        """The zone that decides ages, calendar months and "until 12 March"."""
        return ZoneInfo(self.time_zone)

    def client(self, client_id: str) -> Client | None:
        """The partner client of that id (`azp` of its tokens), if the file has it."""
        return next((client for client in self.clients if client.id == client_id), None)

    def agency(self, agency_id: str) -> Agency | None:
        """The agency of that id, if the file has it."""
        return next((agency for agency in self.agencies if agency.id == agency_id), None)

    def agency_kind(self, agency_id: str) -> AgencyKind | None:
        """What sort of agency that is, if the file has it."""
        agency = self.agency(agency_id)
        return agency.kind if agency else None

    def yot(self, yot_id: str) -> Yot | None:
        """The youth offending team of that id, if the file has it."""
        return next((yot for yot in self.yots if yot.id == yot_id), None)

    def practitioner(self, client_id: str, practitioner_id: str) -> Practitioner | None:
        """The practitioner of that id whom the client may assert, if the file has both."""
        client = self.client(client_id)
        people = client.practitioners if client else []
        return next((person for person in people if person.id == practitioner_id), None)


def parse_region(document: object) -> Region:
    """The region that a parsed YAML document describes; RegionError says every fault at its place."""
    try:
        return Region.model_validate(document)
    except ValidationError as error:
        faults = (f"{'.'.join(str(part) for part in e['loc']) or 'region'}: {e['msg']}" for e in error.errors())
        raise RegionError("\n".join(faults)) from None


def load_region(path: Path) -> Region:
    """The region in the file; RegionError where it can't be read or is faulty."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RegionError(f"{path}: can't be read ({error.strerror})") from None
    except (yaml.YAMLError, ValueError, RecursionError, AttributeError) as error:
        # Not all of PyYAML's refusals are errors of its own.
        raise RegionError(f"{path}: isn't YAML ({error})") from None
    return parse_region(document)


def region_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) published as deploy/regions/region.schema.json."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://ecm-exchange.example/region/v1"}
    return head | Region.model_json_schema()


if __name__ == "__main__":
    import json
    import sys

    sys.stdout.write(json.dumps(region_schema(), indent=2, ensure_ascii=False) + "\n")
