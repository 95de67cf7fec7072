"""The product's own source, as the house rules look at it."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
OWN = (REPOSITORY / "services" / "ecm", REPOSITORY / "shared" / "ecm" / "kit")
DOMAIN_SERVICES = ("referrals", "consent", "formulation", "monitoring")
SERVICES = (*DOMAIN_SERVICES, "exchange")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules() -> list[Path]:
    """Every module that somebody wrote; what is generated from protos isn't among them."""
    return sorted(path for root in OWN for path in root.rglob("*.py"))


def shown(path: Path) -> str:
    """The path as a person writes it."""
    return path.relative_to(REPOSITORY).as_posix()


def functions(source: str) -> Iterator[Function]:
    """Every function of a module, methods and inner ones too."""
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, Function))


def length(function: Function) -> int:
    """Its lines, signature and docstring included, decorators not."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def tracked() -> list[Path]:
    """The files that belong to the product: those that git has, and are there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True).stdout
    paths = (REPOSITORY / name for name in listed.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]
