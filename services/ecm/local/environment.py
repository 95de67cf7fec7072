"""The environment of each service: `ECM_*` as docs/architecture.md lists them."""

import os
from pathlib import Path

from ecm.admin import credentials, databases
from ecm.admin.names import app_role, owner_role
from ecm.kit.names import SERVICES, service_client
from ecm.local.paths import StatePaths
from ecm.local.plan import Plan

DEFAULT_LEASE_SECONDS = 30
LOOPBACK = ("127.0.0.1", "localhost")


def python() -> dict[str, str]:
    """What a Python child needs to find the same code as we, and its neighbours without a proxy."""
    found = os.environ.get("PYTHONPATH", "")
    entries = [str(Path(entry).resolve()) for entry in found.split(os.pathsep) if entry]
    direct = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), *LOOPBACK]))
    path = {"PYTHONPATH": os.pathsep.join(entries)} if entries else {}
    return {**path, "NO_PROXY": direct, "no_proxy": direct}


def of_service(paths: StatePaths, plan: Plan, service: str) -> dict[str, str]:
    """All settings of one service, the plan's overrides included."""
    passwords = credentials.passwords(paths)
    return {
        **python(),
        "ECM_REGION_FILE": str(plan.region),
        "ECM_LISTEN": plan.address(service),
        "ECM_METRICS_LISTEN": f"127.0.0.1:{plan.ports[f'{service}-metrics']}",
        "ECM_DATABASE_URL": database_url(paths, plan, service, app_role(service)),
        "ECM_KAFKA_BOOTSTRAP": plan.address("kafka"),
        "ECM_KAFKA_USERNAME": service_client(service),
        "ECM_KAFKA_PASSWORD": passwords["kafka"][service_client(service)],
        "ECM_ISSUER": plan.issuer,
        "ECM_JWKS_URL": plan.jwks_url,
        "ECM_TOKEN_URL": plan.token_url,
        "ECM_CLIENT_KEY_FILE": str(paths.client_key(service_client(service))),
        **{f"ECM_{name.upper()}_ADDRESS": plan.address(name) for name in SERVICES},
        **_own(paths, plan, service),
        **plan.settings.get(service, {}),
    }


def database_url(paths: StatePaths, plan: Plan, service: str, role: str) -> str:
    """The connection URL of one role of a service's database."""
    password = credentials.passwords(paths)["postgres"][role]
    return databases.url(service, role, password, plan.ports["postgres"])


def owner_url(paths: StatePaths, plan: Plan, service: str) -> str:
    """The connection URL of the role that migrates."""
    return database_url(paths, plan, service, owner_role(service))


def _own(paths: StatePaths, plan: Plan, service: str) -> dict[str, str]:
    """What one service alone has."""
    if service == "consent":
        return {"ECM_NARROWING_JOURNAL": str(paths.narrowing_journal), **_lease(plan)}
    if service != "exchange":
        return {}
    keys = {f"ECM_{name.upper()}_KEY_FILE": str(paths.exchange_key(name)) for name in credentials.EXCHANGE_KEYS}
    return {
        **keys,
        "ECM_HTTP_LISTEN": f"127.0.0.1:{plan.ports['http']}",
        "ECM_FHIR_BASE": plan.fhir_base,
        "ECM_CHECKPOINT_DIR": str(paths.checkpoints),
        **_lease(plan),
    }


def _lease(plan: Plan) -> dict[str, str]:
    return {"ECM_LEASE_SECONDS": f"{plan.lease_seconds or DEFAULT_LEASE_SECONDS:g}"}
