"""How a start is shown: a live table on a terminal, a line per change otherwise."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table

from ecm.local.state import PartState, RunState

SIGNS = {
    "waiting": "[dim]·[/]",
    "preparing": "[yellow]…[/]",
    "starting": "[yellow]…[/]",
    "healthy": "[green]✓[/]",
    "restarting": "[red]↻[/]",
    "stopped": "[dim]■[/]",
}


@contextmanager
def shown(console: Console) -> Iterator[Callable[[RunState], None]]:
    """Call what this yields at every change."""
    if not console.is_terminal:
        yield Lines(console)
        return
    with Live(console=console, refresh_per_second=8, transient=False) as live:
        yield lambda state: live.update(table(state))


class Lines:
    """A line for each part whose phase has changed; counts of a download are left out."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen: dict[str, str] = {}

    def __call__(self, state: RunState) -> None:
        for name, part in state.parts.items():
            message = part.message.partition(",")[0]
            said = f"{part.phase}{': ' + message if message else ''}"
            if part.phase != "waiting" and self._seen.get(name) != said:
                self._seen[name] = said
                self._console.print(f"{name:<12} {said}{_where(part)}", markup=False)


def table(state: RunState) -> Table:
    """All parts with their phases."""
    grid = Table.grid(padding=(0, 2))
    for name, part in state.parts.items():
        grid.add_row(SIGNS[part.phase], name, part.phase, f"[dim]{part.message or _where(part).strip()}[/]")
    return grid


def _where(part: PartState) -> str:
    return f"  {part.address}" if part.phase == "healthy" else ""
