"""All definitions together, and the ImplementationGuide that lists them."""

from ecm.exchange.ig.artefact import Json, artefact
from ecm.exchange.ig.capabilities import capabilities
from ecm.exchange.ig.extensions import extensions
from ecm.exchange.ig.profiles import profiles
from ecm.exchange.ig.questionnaires import questionnaires
from ecm.exchange.ig.terminology import code_systems, value_sets
from ecm.exchange.mapping.codes import CANONICAL

PACKAGE = "example.ecm-exchange"


def definitions() -> list[Json]:
    """Every own definition; the guide first. The same, byte for byte, whenever it is asked."""
    found = [*code_systems(), *value_sets(), *extensions(), *profiles(), *questionnaires(), *capabilities()]
    return [_guide(found), *found]


def file_name(definition: Json) -> str:
    """Where a definition is written: Type-id.json."""
    return f"{definition['resourceType']}-{definition['id']}.json"


def _guide(found: list[Json]) -> Json:
    listed = [{"reference": {"reference": f"{each['resourceType']}/{each['id']}"}} for each in found]
    made = artefact(f"{CANONICAL}/ImplementationGuide/ecm-exchange", "ECM Exchange")
    return made | {
        "packageId": PACKAGE,
        "license": "Apache-2.0",
        "fhirVersion": ["4.0.1"],
        "definition": {"resource": [line | {"name": each["title"]} for line, each in zip(listed, found, strict=True)]},
    }
