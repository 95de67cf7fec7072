"""Nothing happens when a module is imported: no file, no socket, no process."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from architecture.source import OWN, REPOSITORY, modules

# Alembic runs it as a script, and migrations by their path.
SCRIPTS = ("kit/db/alembic/env.py",)


def names() -> list[str]:
    """Dotted names of our modules."""
    found = []
    for path in modules():
        name = path.relative_to(next(root for root in (OWN[0].parent, OWN[1].parents[1]) if root in path.parents))
        if "versions" not in name.parts and not path.as_posix().endswith(SCRIPTS):
            found.append(".".join(name.with_suffix("").parts).removesuffix(".__init__"))
    return found


def done_by(names: Sequence[str], *roots: Path) -> list[str]:
    """What the modules did while they were imported, in a process of their own."""
    arguments = [sys.executable, str(Path(__file__).with_name("importing.py")), *map(str, roots)]
    path = os.pathsep.join([str(OWN[0].parent), str(OWN[1].parents[1]), *map(str, roots)])
    ran = subprocess.run(
        arguments,
        input="\n".join(names),
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def test_importing_does_nothing() -> None:
    assert len(names()) > 300
    assert done_by(names(), *OWN) == []


def test_work_at_import_is_seen(tmp_path: Path) -> None:
    (tmp_path / "reads_at_import.py").write_text("text = open(__file__).read()\n")
    (tmp_path / "connects_at_import.py").write_text(
        "import socket\ntry:\n    socket.create_connection(('127.0.0.1', 1))\nexcept OSError:\n    pass\n"
    )
    (tmp_path / "only_defines.py").write_text("import json\n\ndef read():\n    return open(__file__).read()\n")
    seen = done_by(["only_defines", "reads_at_import", "connects_at_import"], tmp_path)
    assert {line.split()[0] for line in seen} == {"open", "socket.getaddrinfo", "socket.connect"}
    assert not any("only_defines" in line for line in seen)
