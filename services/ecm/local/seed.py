"""After the first start: the region's agreements are proposed to `consent`, and approved."""

from ecm.local.paths import StatePaths
from ecm.local.plan import Plan


async def seed_region(paths: StatePaths, plan: Plan) -> None:
    """Submit the region file's agreements, once per content."""
