"""The demo's people: `people.yaml` beside the region file. A region's real people live in Keycloak."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from ecm.admin.errors import OperatorError
from ecm.kit.auth.claims import YotRole


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


def people_beside(region_file: Path) -> dict[str, Person]:
    """Everybody of people.yaml by id; nobody where the file is absent. Raises `OperatorError` where it is faulty."""
    path = region_file.with_name("people.yaml")
    return load_people(path) if path.exists() else {}


def load_people(path: Path) -> dict[str, Person]:
    """Everybody in that file, by id. Raises `OperatorError` where it can't be read or is faulty."""
    try:
        listed = People.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        hint = "See deploy/regions/example/people.yaml for its form."
        raise OperatorError(f"{path} isn't right: {error}", hint) from error
    return {person.id: person for person in listed.people}
