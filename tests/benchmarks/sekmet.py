"""SEKMET as a peer: from PyPI, in an environment of its own, on its own SQLite."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.servers import AbsentError, Started
from ecm.local.ports import free_ports

PACKAGE = "sekmet-fhir==0.1.1"
PLACE = Path(__file__).parents[2] / ".cache" / "peers" / "sekmet"


class Sekmet(Started):
    """`sekmet serve`, its simulator and traffic log off. AbsentError where PyPI doesn't give it."""

    def __init__(self, folder: Path) -> None:
        python = _environment()
        port = free_ports(1)[0]
        settings = folder / "sekmet.yaml"
        settings.write_text(_settings(folder, port), encoding="ascii")
        # It doesn't end with its standard input.
        tied = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        command = [*tied, str(python.parent / "sekmet"), "serve", "--config", str(settings)]
        super().__init__("sekmet", command, port=port)


def _settings(folder: Path, port: int) -> str:
    lines = (
        f"base_url: http://127.0.0.1:{port}/fhir",
        "host: 127.0.0.1",
        f"port: {port}",
        f"data_dir: {folder}",
        f"own_private_key_path: {folder / 'sekmet.pem'}",
        "log_inbound: false",
        "simulator: {enabled: false}",
    )
    return "\n".join(lines) + "\n"


def _environment() -> Path:
    """Python of an environment that has it; made once."""
    python, made = PLACE / "bin" / "python", PLACE / PACKAGE
    if made.exists():
        return python
    try:
        venv.create(PLACE, clear=True, with_pip=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]
        subprocess.run(command, check=True, stdout=sys.stderr)
    except (OSError, subprocess.CalledProcessError) as error:
        raise AbsentError(f"{PACKAGE} can't be installed from PyPI: {error}") from error
    made.touch()
    return python
