"""The demo's people: `people.yaml` beside the region file. A region's real people live in Keycloak."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from ecm.kit.auth.claims import YotRole
from ecm.local.errors import LocalError


class Person(BaseModel):
    """Somebody who may get a token from the local issuer: their agency and their roles, each in a YOT."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    name: str
    agency: str
    ecm_roles: list[YotRole]
    ecm_registration: str = ""


class People(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    people: list[Person] = []


def load_people(region_file: Path) -> dict[str, Person]:
    """Everybody by id; nobody where the file is absent. Raises `LocalError` where it is faulty."""
    path = region_file.with_name("people.yaml")
    if not path.exists():
        return {}
    try:
        listed = People.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        hint = "See deploy/regions/example/people.yaml for its form."
        raise LocalError(f"{path} isn't right: {error}", hint) from error
    return {person.id: person for person in listed.people}
