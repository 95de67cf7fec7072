"""The benchmark's tables."""

from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.goals import goals

Result = dict[str, Any]
_WIDTH = 132


def show(result: Result) -> None:
    """Rates, the region's figures, goals."""
    console = Console(width=_WIDTH)
    console.print(_rates(result))
    for name, why in result["absent"].items():
        console.print(f"{name}: left out, {why}", markup=False)
    if "region" in result:
        console.print(_region(result["region"]))
    console.print(_goals(result))


def _rates(result: Result) -> Table:
    servers = list(result["memory"])
    table = Table(title="requests/s, p50 / p99 ms, CPU in µs a request: server + database + load", show_lines=True)
    table.add_column("")
    for name in servers:
        table.add_column(name, justify="right")
    for work in result["about"]["works"]:
        table.add_row(work, *(_cell(result[work][name]) for name in servers))
    memory, started = result["memory"], result["start_seconds"]
    table.add_row("memory, PSS", *(f"{memory[name]['rss_mb']:.0f} MB" for name in servers))
    table.add_row("start until it answers", *(f"{started[name]:.1f} s" for name in servers))
    return table


def _cell(one: dict[str, float]) -> str:
    cpu = " + ".join(f"{one[part]:.0f}" for part in ("server_cpu_us", "database_cpu_us", "load_cpu_us"))
    return f"{one['rps']:.0f}/s  {one['p50_ms']:.1f} / {one['p99_ms']:.1f}\n{cpu}"


def _region(region: Result) -> Table:
    table = Table(title="the region")
    for title in ("", "p50", "p99", ""):
        table.add_column(title, justify="left" if not title else "right")
    topic, trip = region["commit_to_topic"], region["commit_to_topic"]["round_trip"]
    came = f"{topic['count']} of {topic['commits']} commits, {topic['per_second']} a second"
    _line(table, "commit → partner topic", topic, came)
    _line(table, "produce → consume", trip, f"{topic['ratio']:.2f} of these")
    _line(table, "the same, lingering for 2 ms", topic["lingering"], f"{topic['lingering']['ratio']:.2f} of these")
    contribution = region["contribution"]
    _line(table, "contribution, gRPC answered", contribution["answered"], "10 a second")
    _line(table, "contribution, projected", contribution["projected"], "")
    for name, found in region["withdraw"].items():
        _line(
            table,
            f"Withdraw → ENFORCED, {name.replace('_', ' ')}",
            found,
            f"{found['answered_enforcing']} of {found['count']} answered before",
        )
    up = region["up_seconds"]
    table.add_row("ecm up", f"{up['again']:.1f} s", "", f"{up['first']:.1f} s with an empty state directory")
    table.add_row("all of ecm up, PSS", f"{region['all_mb']:.0f} MB", "", _parts(region["part_mb"]))
    return table


def _line(table: Table, what: str, found: Result, note: str) -> None:
    table.add_row(what, f"{found['p50_ms']:.1f} ms", f"{found['p99_ms']:.1f} ms", note)


def _parts(parts: Result) -> str:
    return ", ".join(f"{name} {size:.0f}" for name, size in sorted(parts.items(), key=lambda item: -item[1]))


def _goals(result: Result) -> Table:
    table = Table(title="goals, as ratios in this run")
    for title in ("", "goal", "reached", ""):
        table.add_column(title, justify="left" if not title else "right")
    for goal in goals(result):
        word = "[green]reached[/green]" if goal.met else "[red]not reached[/red]"
        table.add_row(goal.what, goal.aim, goal.reached, word)
    return table
