"""`make bench` in the smallest size: it runs, answers are whole, and its file is what is promised. No figure counts."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parent / "bench.py"
SMALL = (
    *("--children", "12", "--seconds", "0.2", "--rounds", "1", "--warm-seconds", "0.1"),
    *("--living", "2", "--region-seconds", "0.5", "--withdrawals", "2"),
)
WORKS = ("read", "search", "identifier", "everything", "create")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Ours and the raw limit: peers come from elsewhere."""
    output = tmp_path_factory.mktemp("bench") / "build" / "bench.json"
    subprocess.run([sys.executable, str(BENCH), *SMALL, "--peers", "--output", str(output)], check=True)
    return json.loads(output.read_text())


@pytest.mark.parametrize("server", ["ours", "raw"])
@pytest.mark.parametrize("work", WORKS)
def test_every_work_has_its_figures(result: Any, work: str, server: str) -> None:
    figures = result[work][server]
    assert {"rps", "p50_ms", "p99_ms"} <= figures.keys()
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]
    assert figures["rps"] > 0
    assert result["memory"][server]["rss_mb"] > 0


def test_the_region_has_its_figures(result: Any) -> None:
    region = result["region"]
    topic = region["commit_to_topic"]
    assert topic["count"] == topic["commits"] > 0, "each commit's event arrives"
    assert topic["ratio"] == pytest.approx(topic["p50_ms"] / topic["round_trip"]["p50_ms"], abs=0.01)
    assert region["contribution"]["projected"]["count"] == 2
    for found in region["withdraw"].values():
        assert found["count"] == 2
    assert region["all_mb"] > result["memory"]["ours"]["rss_mb"]


def test_every_goal_of_ours_is_judged(result: Any) -> None:
    judged = {goal["goal"]: goal["met"] for goal in result["goals"]}
    assert {"read : raw", "search : raw", "commit to topic : round trip", "ecm up, warm"} <= judged.keys()
    read = result["read"]
    assert judged["read : raw"] == (read["ours"]["rps"] / read["raw"]["rps"] >= 0.6)
