"""`python -m ecm.local.supervise STATE [LIFELINE]`: the supervisor as a process of its own."""

import asyncio
import sys
from pathlib import Path

from ecm.admin.errors import OperatorError
from ecm.local import plan as plans
from ecm.local.paths import StatePaths
from ecm.local.supervisor import Supervisor


def main(state: str, lifeline: str = "") -> int:
    """Serve the plan of `state`; 1 where it failed, which the state file explains."""
    paths = StatePaths(Path(state))
    plan = plans.load(paths)
    assert plan is not None, "whoever starts this has saved a plan"
    try:
        asyncio.run(_serve(paths, plan, int(lifeline) if lifeline else None))
    except OperatorError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def _serve(paths: StatePaths, plan: plans.Plan, lifeline: int | None) -> None:
    await Supervisor(paths, plan).run(lifeline)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
