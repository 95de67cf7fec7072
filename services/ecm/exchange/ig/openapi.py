"""The HTTP side as an OpenAPI 3.1 document, from what answers: search registry, routes, write table.

https://spec.openapis.org/oas/v3.1.0. For tools that don't read a CapabilityStatement; what a body may hold stands
in the profiles.
"""

from typing import Any, Final

from ecm.exchange.api.errors import FHIR_JSON
from ecm.exchange.api.formats import FORM
from ecm.exchange.ig.artefact import VERSION, Json
from ecm.exchange.intake.write_table import WRITABLE
from ecm.exchange.search.parameters import SERVED, Kind, parameters

FHIR: Final = FHIR_JSON.partition(";")[0]
REFUSALS: Final = ("400", "401", "403", "404", "405", "406", "412", "413", "415", "422", "429", "503", "504")
_STRING: Final[Json] = {"type": "string"}
_EXAMPLES: Final = {Kind.TOKEN: "system|code", Kind.DATE: "ge2026-03-01", Kind.REFERENCE: "Patient/id"}
_RESULT: Final[dict[str, Json]] = {
    "_count": {"type": "integer", "minimum": 0, "maximum": 200},
    "_total": {"enum": ["none", "estimate", "accurate"]},
    "_summary": {"enum": ["count", "false"]},
    "_format": {"enum": ["json", "application/fhir+json"]},
    "_cursor": _STRING,
}


def openapi() -> Json:
    """The document. Paths are below the region's FHIR base; every operation but two needs a bearer token."""
    paths: dict[str, Json] = {
        "/metadata": {"get": _operation("capabilities", "CapabilityStatement") | {"security": []}},
        "/.well-known/smart-configuration": {"get": _smart()},
        "/events/{token}": {"get": _operation("fetchEvent", "", [_in_path("token")], also=("304",))},
        "/Patient/{id}/$everything": {"get": _everything()},
    }
    for kind in sorted({*SERVED, *(written for _, written in WRITABLE)}):
        paths |= _of_kind(kind)
    return {
        "openapi": "3.1.0",
        "info": {"title": "ECM Exchange", "version": VERSION, "description": "FHIR R4 for partner agencies."},
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "responses": {"Refused": _answer("Why not.", "OperationOutcome")},
        },
    }


def _of_kind(kind: str) -> dict[str, Json]:
    one, several, made = f"/{kind}/{{id}}", f"/{kind}", {}
    if kind in SERVED:
        read = _operation(f"read{kind}", kind, [_in_path("id")], also=("304",))
        search = _operation(f"search{kind}", "Bundle", _search_parameters(kind))
        made = {one: {"get": read}, several: {"get": search}}
        made[f"/{kind}/_search"] = {"post": _posted_search(kind)}
        versions = [_in_path("id"), _in_path("version")]
        made[f"{one}/_history/{{version}}"] = {"get": _operation(f"vread{kind}", kind, versions, also=("304",))}
    if ("create", kind) in WRITABLE:
        made.setdefault(several, {})["post"] = _write(f"create{kind}", kind, [])
    if ("update", kind) in WRITABLE:
        made.setdefault(one, {})["put"] = _write(f"update{kind}", kind, [_in_path("id"), _in_header("If-Match")])
    return made


def _operation(name: str, resource_type: str, given: list[Json] | None = None, *, also: tuple[str, ...] = ()) -> Json:
    """A GET; `also` are statuses without a body."""
    answers = {"200": _answer("As it is open to the client.", resource_type)}
    answers |= {status: {"description": "Nothing newer."} for status in also}
    return {"operationId": name, "parameters": given or [], "responses": answers | _refusals()}


def _smart() -> Json:
    made = _operation("smartConfiguration", "") | {"security": []}
    made["responses"]["200"] = {"description": "Where tokens come from.", "content": {"application/json": {}}}
    return made


def _everything() -> Json:
    given = [_in_path("id"), *(_in_query(name, _RESULT[name]) for name in ("_count", "_format", "_cursor"))]
    given += [_in_query("_since", _STRING), _in_query("_type", _STRING)]
    return _operation("everything", "Bundle", given)


def _search_parameters(kind: str) -> list[Json]:
    return [_in_query(name, schema) for name, schema in _searched(kind).items()]


def _searched(kind: str) -> dict[str, Json]:
    """Schema by parameter, those of results too."""
    own = {each.code: _STRING | {"examples": [_EXAMPLES[each.kind]]} for each in parameters(kind)}
    return own | _RESULT


def _posted_search(kind: str) -> Json:
    made = _operation(f"postSearch{kind}", "Bundle")
    schema = {"type": "object", "properties": _searched(kind)}
    return made | {"requestBody": {"content": {FORM: {"schema": schema}}}}


def _write(name: str, kind: str, given: list[Json]) -> Json:
    """A write; the profile says what the resource may hold."""
    resource = {"type": "object", "properties": {"resourceType": {"const": kind}}, "required": ["resourceType"]}
    headers = [_in_header(each) for each in ("X-Provenance", "Idempotency-Key", "Prefer")]
    done = {"description": "Recorded; a body as `Prefer` says.", "content": {FHIR: {}}}
    return {
        "operationId": name,
        "parameters": [*given, *headers],
        "requestBody": {"required": True, "content": {FHIR: {"schema": resource}}},
        "responses": {"200": done, "201": done, "409": {"$ref": "#/components/responses/Refused"}} | _refusals(),
    }


def _refusals() -> Json:
    return {status: {"$ref": "#/components/responses/Refused"} for status in REFUSALS}


def _answer(description: str, resource_type: str) -> Json:
    named: Any = {"const": resource_type} if resource_type else _STRING
    schema = {"type": "object", "properties": {"resourceType": named}, "required": ["resourceType"]}
    return {"description": description, "content": {FHIR: {"schema": schema}}}


def _in_path(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": _STRING}


def _in_query(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "schema": schema}


def _in_header(name: str) -> Json:
    return {"name": name, "in": "header", "schema": _STRING}
