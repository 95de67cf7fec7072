"""`python -m ecm.local.issuer STATE REGION PORT FHIR_BASE`: the issuer as a process."""

import json
import sys
from pathlib import Path

import uvicorn
from joserfc.jwk import ECKey

from ecm.admin.people import people_beside
from ecm.kit.region import load_region
from ecm.local.issuer.app import build
from ecm.local.issuer.assertions import AssertionCheck
from ecm.local.issuer.clients import registered
from ecm.local.issuer.grants import Grants
from ecm.local.issuer.minting import Mint
from ecm.local.issuer.replay import UsedAssertions
from ecm.local.paths import StatePaths


def main(state: str, region_file: str, port: str, fhir_base: str) -> None:
    """Serve until SIGTERM."""
    paths = StatePaths(Path(state))
    issuer = f"http://127.0.0.1:{port}"
    key = ECKey.import_key(json.loads(paths.issuer_key.read_text(encoding="utf-8")))
    check = AssertionCheck((f"{issuer}/token", issuer), UsedAssertions(paths.issuer / "used.sqlite"))
    clients = registered(load_region(Path(region_file)), paths)
    grants = Grants(clients, people_beside(Path(region_file)), check, fhir_base)
    # No access log: a request line is nobody's business here, and every refusal is in its answer.
    uvicorn.run(build(Mint(issuer, key), grants), host="127.0.0.1", port=int(port), log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
