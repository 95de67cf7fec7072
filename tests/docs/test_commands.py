"""The commands in README and the guides, run as they stand there against a whole region."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ecm.demo import show
from ecm.demo.journey import Journey
from ecm.demo.material import second_subject
from ecm.local.stack import Stack

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"<!-- run(?:, prints: (?P<prints>[^>]*?))? -->\n```sh\n(?P<command>.*?)```", re.DOTALL)
LOCAL_BASE = "http://127.0.0.1:8080/fhir"


@dataclass(frozen=True)
class Command:
    """One block of a page, and what it must print."""

    page: str
    text: str
    prints: str


def commands() -> Iterator[Command]:
    """Every block that is marked to be run."""
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for found in BLOCK.finditer(page.read_text()):
            yield Command(page.name, found["command"], (found["prints"] or "").strip())


COMMANDS = list(commands())


@pytest.fixture(scope="module")
def served(region: Stack) -> Stack:
    """A region with the child that the guides ask for, who keeps their consent."""
    journey = Journey.on(region)
    if not journey.psychology.sight(second_subject(journey.today).identifier):
        show.second_child(region)
    journey.close()
    return region


def test_the_guides_have_commands() -> None:
    assert {"partners.md", "administrators.md", "integration.md"} <= {command.page for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command.page}: {command.text.splitlines()[0]}")
def test_command(served: Stack, command: Command) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script = command.text.replace(LOCAL_BASE, served.addresses["fhir"])
    assert command.prints in _run(script, {"PATH": path, "ECM_STATE": str(served.paths.root)})


def test_the_commands_that_the_demo_shows(served: Stack) -> None:
    """As somebody enters them in another terminal, where nothing says what `ecm` is or where the state stands."""
    elsewhere = {"PATH": os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if ".venv" not in part)}
    prepare, *shown = show.commands_to_try(served)
    for command, printed in zip(shown, ('"total":1', "record_id", "available"), strict=True):
        if shutil.which(command.split()[0]) or command.startswith("ecm"):
            assert printed in _run(f"{prepare}\n{command}", elsewhere)


def _run(script: str, environment: dict[str, str]) -> str:
    """What a script prints; it must end with status 0."""
    if "curl -s" in script and not shutil.which("curl"):
        pytest.skip("curl isn't installed")
    inherited = {name: value for name, value in os.environ.items() if name != "ECM_STATE"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env={**inherited, "NO_PROXY": "127.0.0.1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
