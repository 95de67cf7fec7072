"""What any region's exchange does, as a CapabilityStatement of kind `requirements`."""

import json
from datetime import UTC, datetime

from ecm.exchange.api.capabilities import capability_statement
from ecm.exchange.ig.artefact import DATE, Json, artefact
from ecm.exchange.intake.write_table import WRITABLE
from ecm.exchange.mapping.codes import CANONICAL

_OF_ONE_SERVER = ("implementation", "software", "date", "kind", "status", "resourceType")


def capabilities() -> list[Json]:
    """The statement that every server gives, without what is that server's own."""
    started = datetime.fromisoformat(DATE).replace(tzinfo=UTC)
    served = json.loads(capability_statement("[base]", started, WRITABLE))
    rest = {name: value for name, value in served.items() if name not in _OF_ONE_SERVER}
    made = artefact(f"{CANONICAL}/CapabilityStatement/ecm-exchange", "ECM Exchange's API")
    return [made | {"kind": "requirements"} | rest]
