"""What a region keeps to itself stands in no log, no argument, and no file that others can read.

Runs after a region was attacked and one child's record went its way (`target`).
"""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from attack.region import Attacked
from ecm.local.stack import Stack

SHORTEST = 12
OTHERS = stat.S_IRWXG | stat.S_IRWXO


@pytest.fixture(scope="module")
def secrets(target: Attacked) -> set[str]:
    """Passwords, private keys, the exchange's own keys, and the tokens that were used."""
    paths = target.stack.paths
    found = set(_texts(json.loads(paths.passwords_file.read_text())))
    for file in filter(Path.is_file, paths.keys.rglob("*")):
        content = file.read_text().strip()
        found.add(json.loads(content)["d"] if content.startswith("{") else content)
    found |= {target.journey.psychology.token(), *(token for _, token in target.journey.yot._tokens.values())}
    assert len(found) > 20
    assert all(len(each) >= SHORTEST for each in found), "too short to be looked for, or to be a secret"
    return found


def _texts(held: Any) -> Iterator[str]:
    if isinstance(held, dict):
        for inner in held.values():
            yield from _texts(inner)
    else:
        yield str(held)


def held(content: bytes, secrets: set[str]) -> int:
    """How many secrets stand in it. Never which: a test's output is a log, too."""
    return sum(each.encode() in content for each in secrets)


def test_no_log_holds_one(target: Attacked, secrets: set[str]) -> None:
    logs = [path for path in target.stack.paths.logs.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in logs) > 10_000
    assert {path.name: held(path.read_bytes(), secrets) for path in logs} == dict.fromkeys((p.name for p in logs), 0)


def processes(stack: Stack) -> list[psutil.Process]:
    """The supervisor, the parts, and whatever they have started."""
    supervisor = stack.state.supervisor
    assert supervisor is not None
    first = psutil.Process(supervisor.pid)
    found = [first, *first.children(recursive=True)]
    assert len(found) > len(stack.plan.parts)
    return found


def test_no_argument_is_one(target: Attacked, secrets: set[str]) -> None:
    """`ps` shows them to everybody."""
    for process in processes(target.stack):
        arguments = Path(f"/proc/{process.pid}/cmdline")
        if arguments.exists():
            assert held(arguments.read_bytes(), secrets) == 0, process.name()


def test_no_environment_that_others_read_holds_one(target: Attacked, secrets: set[str]) -> None:
    """A process's environment is its account's own; one of another account than ours is given none of them."""
    for process in processes(target.stack):
        environment = Path(f"/proc/{process.pid}/environ")
        if not environment.exists():
            continue
        assert environment.stat().st_mode & OTHERS == 0
        if process.uids().real != os.getuid():
            assert held(environment.read_bytes(), secrets) == 0, process.name()


def test_no_file_that_others_read_holds_one(target: Attacked, secrets: set[str]) -> None:
    root = target.stack.paths.root
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    holding = [path for path in files if held(path.read_bytes(), secrets)]
    assert target.stack.paths.passwords_file in holding
    assert len(holding) > 10
    assert [str(path.relative_to(root)) for path in holding if path.stat().st_mode & OTHERS] == []


def test_what_is_looked_for_would_be_found(secrets: set[str]) -> None:
    one = next(iter(secrets))
    assert held(f'{{"password": "{one}"}}'.encode(), secrets) == 1
