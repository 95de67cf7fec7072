"""Every metric is declared in one file, and says there what it tells."""

import ast
import re

from architecture.source import OWN, modules, shown

METRICS = OWN[1] / "metrics.py"
KINDS = {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum"}


def declared() -> list[tuple[str, int]]:
    """Names and lines of the metrics in the one file."""
    calls = (node for node in ast.walk(ast.parse(METRICS.read_text())) if isinstance(node, ast.Call))
    made = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in KINDS]
    return [(str(ast.literal_eval(call.args[0])), call.lineno) for call in made]


def test_nobody_else_makes_metrics() -> None:
    importing = [shown(path) for path in modules() if re.search(r"(from|import) prometheus_client", path.read_text())]
    assert importing == [shown(METRICS)]


def test_names_are_ours_and_unique() -> None:
    names = [name for name, _ in declared()]
    assert len(names) > 10
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"ecm_[a-z_]+", name) for name in names)


def test_each_says_what_it_tells() -> None:
    lines = METRICS.read_text().splitlines()
    assert [name for name, line in declared() if not lines[line - 2].startswith("# ")] == []
