"""Files that only their owner may read, written whole or not at all."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from ecm.admin.errors import OperatorError


def private_directory(path: Path) -> Path:
    """`path`, made where absent, with mode 0700."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o700)
    except OSError as error:
        raise OperatorError(
            f"{path} can't be made a private directory: {error.strerror}.",
            "Choose another with --state DIR, or make it yours.",
        ) from error
    return path


def write_private(path: Path, content: str) -> None:
    """Replace `path` in one step by `content`, mode 0600."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_private_json(path: Path, content: Any) -> None:
    """Like `write_private`, as indented JSON."""
    write_private(path, json.dumps(content, indent=2, sort_keys=True) + "\n")


def read_json(path: Path) -> Any:
    """The JSON in `path`, or None where there is no such file. Raises `OperatorError` where it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, OSError) as error:
        raise OperatorError(
            f"{path} can't be read: {error}.", "Restore it from a copy, or start a new state with --state DIR."
        ) from error


def tail(path: Path, lines: int = 15) -> list[str]:
    """The last lines of a log, the oldest first; none where there is no log yet."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 16_384))
            return file.read().decode("utf-8", "replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []
