"""What this server does, from the registry and the write table. https://hl7.org/fhir/R4/http.html#capabilities"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any

import orjson

from ecm.exchange.search.parameters import SERVED, Kind, parameters

_CONVENTIONS = (
    "Dates without a zone are read in UTC. Of prefixes eq, ne, lt, gt, le, ge, sa and eb are served; of modifiers "
    "none but a type on a reference. Everything is shown as far as consent, agreements and restrictions allow: what "
    "isn't open to a client is answered as what doesn't exist."
)


def capability_statement(base: str, started: datetime, writes: Iterable[tuple[str, str]]) -> bytes:
    """The CapabilityStatement's bytes; `writes` are pairs (create or update, type)."""
    table: dict[str, set[str]] = {}
    for interaction, resource_type in writes:
        table.setdefault(resource_type, set()).add(interaction)
    statement = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": started.isoformat(timespec="seconds"),
        "kind": "instance",
        "software": {"name": "ECM Exchange", "version": version("ecm-exchange")},
        "implementation": {"description": "ECM Exchange: records of enhanced case management", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [_rest(base, table)],
    }
    return orjson.dumps(statement)


def _rest(base: str, table: Mapping[str, set[str]]) -> dict[str, Any]:
    service = "http://terminology.hl7.org/CodeSystem/restful-security-service"
    return {
        "mode": "server",
        "documentation": _CONVENTIONS,
        "security": {
            "service": [{"coding": [{"system": service, "code": "SMART-on-FHIR"}]}],
            "description": f"SMART Backend Services; see {base}/.well-known/smart-configuration.",
        },
        "resource": [_resource(name, table.get(name, set())) for name in sorted({*SERVED, *table})],
    }


def _resource(name: str, writes: set[str]) -> dict[str, Any]:
    codes = ["read", "vread", "search-type"] if name in SERVED else []
    made: dict[str, Any] = {
        "type": name,
        "interaction": [{"code": code} for code in [*codes, *sorted(writes)]],
        "versioning": "versioned-update" if "update" in writes else "versioned",
        "readHistory": name in SERVED,
        "updateCreate": False,
        "conditionalRead": "full-support",
        "referencePolicy": ["literal"],
    }
    if name in SERVED:
        made["searchParam"] = [_parameter(p.code, p.kind, p.definition) for p in parameters(name)]
    if name == "Patient":
        definition = "http://hl7.org/fhir/OperationDefinition/Patient-everything"
        made["operation"] = [{"name": "everything", "definition": definition}]
    return made


def _parameter(code: str, kind: Kind, definition: str) -> dict[str, str]:
    return {"name": code, "definition": definition, "type": kind.value}
