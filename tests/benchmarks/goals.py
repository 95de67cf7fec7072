"""The goals, as ratios within one run, and what was reached."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Result = dict[str, Any]

# Work → peer → our rate is at least so many times the peer's.
RATES: dict[str, dict[str, float]] = {
    "read": {"hapi": 5, "sekmet": 4, "raw": 0.6},
    "search": {"hapi": 12, "sekmet": 3, "raw": 0.45},
    "identifier": {"hapi": 8, "sekmet": 3},
    "everything": {"hapi": 8, "sekmet": 2.5},
}
# Our memory is at most so many times the peer's.
MEMORY = {"hapi": 0.2, "sekmet": 2.0}
TOPIC_RATIO = 4.0
WARM_SECONDS = 15.0
ALL_MEGABYTES = 1.5 * 1024 * 1.048576


@dataclass(frozen=True)
class Goal:
    """One line: what was aimed at and what was reached."""

    what: str
    aim: str
    reached: str
    met: bool

    def result(self) -> Result:
        """As JSON."""
        return {"goal": self.what, "aim": self.aim, "reached": self.reached, "met": self.met}


def goals(result: Result) -> list[Goal]:
    """Those whose figures this run has."""
    return [*_rates(result), *_memory(result), *_region(result.get("region", {}))]


def _rates(result: Result) -> Iterator[Goal]:
    for work, aims in RATES.items():
        servers = result.get(work, {})
        for peer, least in aims.items():
            if peer in servers:
                ratio = servers["ours"]["rps"] / servers[peer]["rps"]
                yield Goal(f"{work} : {peer}", f">= {least:g}x", f"{ratio:.2f}x", ratio >= least)


def _memory(result: Result) -> Iterator[Goal]:
    memory = result["memory"]
    for peer, most in MEMORY.items():
        if peer in memory:
            ratio = memory["ours"]["rss_mb"] / memory[peer]["rss_mb"]
            yield Goal(f"memory of the exchange : {peer}", f"<= {most:g}x", f"{ratio:.2f}x", ratio <= most)


def _region(region: Result) -> Iterator[Goal]:
    lines: tuple[tuple[str, float, str, Callable[[Result], float]], ...] = (
        ("commit to topic : round trip", TOPIC_RATIO, "x", lambda found: found["commit_to_topic"]["ratio"]),
        ("ecm up, warm", WARM_SECONDS, " s", lambda found: found["up_seconds"]["again"]),
        ("all of ecm up after the benchmark", ALL_MEGABYTES, " MB", lambda found: found["all_mb"]),
    )
    for what, most, unit, figure in lines:
        try:
            reached = figure(region)
        except KeyError:
            continue
        yield Goal(what, f"<= {most:.6g}{unit}", f"{reached:.4g}{unit}", reached <= most)
