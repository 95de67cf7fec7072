"""What a state runs is remembered, and a wrong wish says what to do."""

import socket
from pathlib import Path

import pytest

from ecm.admin.errors import OperatorError
from ecm.local import plan as plans
from ecm.local import ports
from ecm.local.paths import StatePaths

REGION = Path("region.yaml")


def test_ports_stay_unless_fresh_ones_are_wanted() -> None:
    first = plans.revise(None, region=REGION, chosen_ports={"http": 8080})
    again = plans.revise(first, region=None)
    fresh = plans.revise(first, region=None, fresh_ports=True)
    assert again == first
    assert fresh.ports["http"] == 8080
    assert fresh.ports["kafka"] != first.ports["kafka"]
    assert len(set(first.ports.values())) == len(ports.ALL_PORTS)


def test_a_plan_survives_its_file(tmp_path: Path) -> None:
    paths = StatePaths(tmp_path)
    plan = plans.revise(None, region=REGION, parts=("postgres",), lease_seconds=2, settings={"exchange": {"A": "b"}})
    plans.save(paths, plan)
    assert plans.load(paths) == plan
    assert paths.plan_file.stat().st_mode & 0o777 == 0o600


def test_a_taken_port_is_reported_with_what_to_do() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        taken = other.getsockname()[1]
        plan = plans.revise(None, region=REGION, chosen_ports={"http": taken})
        with pytest.raises(OperatorError, match=f"Port {taken}.*--port N"):
            ports.require_free(plan.ports, ["exchange"])


@pytest.mark.parametrize(
    ("wish", "words"), [({"parts": ("postgres", "mongo")}, "mongo"), ({"region": None}, "--region")]
)
def test_a_wrong_wish_is_explained(wish: dict[str, object], words: str) -> None:
    with pytest.raises(OperatorError, match=words):
        plans.revise(None, **{"region": REGION, **wish})  # type: ignore[arg-type]
