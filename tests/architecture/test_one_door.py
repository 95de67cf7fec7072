"""Nothing but `release` lets a resource's body out of the exchange."""

import ast
import re
from pathlib import Path

import pytest

from architecture.source import OWN, modules

EXCHANGE = OWN[0] / "exchange"
# Whose text names the stored body, and why none of it goes around the door.
NAME_THE_BODY = {
    "disclosure/finding.py": "the statements that disclose() runs",
    "audit/writer.py": "calls disclose(), for `release` alone",
    "projection/replace.py": "compares what is stored with what is mapped",
    "projection/writing.py": "stores what is mapped",
    "projection/document.py": "the child's minimum, for the report's Bundle, which is stored",
    "intake/lookup.py": "looks which meeting an invitation is for, within the predicate; answers ids",
}
# Who may use the connection that discloses.
USE_THE_WRITERS = {"release.py", "app.py"}

_SQL = re.compile(r"\b(SELECT|UPDATE|INSERT|DELETE|FROM)\b")
_BODY = re.compile(r"(?<!:)\b(body|bodies)\b")
_EVERY_COLUMN = re.compile(r"\bSELECT\s+(\w+\.)?\*")
_OF_RESOURCES = re.compile(r"\bresource(_version)?\b")


def names_the_body(source: str) -> bool:
    """Whether a module has SQL with the column `body` or with every column, or selects a whole table of resources."""
    return any(_in_sql(node) or _in_sqlalchemy(node) for node in ast.walk(ast.parse(source)))


def _in_sql(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        text = " ".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
    else:
        return False
    every_column = _EVERY_COLUMN.search(text) and _OF_RESOURCES.search(text)
    return bool(_SQL.search(text) and (_BODY.search(text) or every_column))


def _in_sqlalchemy(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute) and node.attr == "body":
        return isinstance(node.value, ast.Attribute) and node.value.attr == "c"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "select":
        return any(ast.unparse(argument).rpartition(".")[2] in _TABLES for argument in node.args)
    return False


_TABLES = {"resource", "resource_version"}


def inside(folder: Path = EXCHANGE) -> dict[str, str]:
    """The exchange's modules, but for the tables and their migrations, which hold no query."""
    found = {path.relative_to(folder).as_posix(): path.read_text() for path in modules() if folder in path.parents}
    return {name: source for name, source in found.items() if not name.startswith(("tables/", "migrations/"))}


def test_who_names_the_body() -> None:
    assert {name for name, source in inside().items() if names_the_body(source)} == set(NAME_THE_BODY)


def test_who_has_the_connection_that_discloses() -> None:
    users = {name for name, source in inside().items() if re.search(r"import .*\bWriters\b", source)}
    assert users == USE_THE_WRITERS


def test_disclose_is_called_in_one_place() -> None:
    assert [name for name, source in inside().items() if "FROM disclose(" in source] == ["audit/writer.py"]


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ('text("SELECT r.body FROM resource r")', True),
        ('text(f"SELECT {columns} , body FROM resource")', True),
        ('text("SELECT * FROM resource_version")', True),
        ("select(tables.resource.c.body)", True),
        ("select(resource).where(one)", True),
        ("select(resource.c.id)", False),
        ('text("SELECT * FROM unnest(:ids)")', False),
        ('text("SELECT id FROM resource WHERE note = :body")', False),
        ('"""The body of a request."""', False),
    ],
)
def test_going_around_is_seen(source: str, seen: bool) -> None:
    assert names_the_body(source) is seen
