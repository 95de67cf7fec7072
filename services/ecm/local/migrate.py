"""`python -m ecm.local.migrate STATE SERVICE…`: bring databases to the newest schema, as their owners."""

import asyncio
import sys
from pathlib import Path

from ecm.admin.names import app_role
from ecm.kit.db.migrations import migrate
from ecm.local import environment
from ecm.local import plan as plans
from ecm.local.paths import StatePaths


def main(state: str, *services: str) -> None:
    """Migrate each of these services' databases."""
    paths = StatePaths(Path(state))
    plan = plans.load(paths)
    assert plan is not None, "whoever starts this has saved a plan"
    for service in services:
        asyncio.run(migrate(f"ecm.{service}", environment.owner_url(paths, plan, service), app_role(service)))
        print(f"{service}: migrated", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
