"""The OpenAPI document says what the CapabilityStatement says: both come from the registry and the write table."""

import json
from datetime import UTC, datetime

from ecm.exchange.api.capabilities import capability_statement
from ecm.exchange.ig.openapi import openapi
from ecm.exchange.intake.write_table import WRITABLE

PATHS = openapi()["paths"]


def test_every_interaction_has_its_operation() -> None:
    stated = json.loads(capability_statement("[base]", datetime.now(UTC), WRITABLE))["rest"][0]["resource"]
    assert len(stated) > 20
    for resource in stated:
        kind, codes = resource["type"], {each["code"] for each in resource["interaction"]}
        assert ("search-type" in codes) == ("get" in PATHS[f"/{kind}"])
        assert ("create" in codes) == ("post" in PATHS[f"/{kind}"])
        assert ("update" in codes) == ("put" in PATHS[f"/{kind}/{{id}}"])
        assert ("vread" in codes) == (f"/{kind}/{{id}}/_history/{{version}}" in PATHS)
        searched = {each["name"] for each in PATHS[f"/{kind}"]["get"]["parameters"]}
        assert {each["name"] for each in resource["searchParam"]} <= searched


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for path in PATHS.values() for operation in path.values()]
    assert len(names) == len(set(names)) > 80
