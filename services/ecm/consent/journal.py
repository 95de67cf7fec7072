"""The journal of narrowings: an append-only file outside the database's backup.

One JSON line per narrowing, on disk before anybody is told: ids, versions and
kinds, nothing about a person. After a restore it says what the backup lacks.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from ecm.consent.store.narrowings import Narrowing


class Journal:
    """Appends to one file, and reads it at start."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._one_at_a_time = asyncio.Lock()

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    async def append(self, narrowing: Narrowing) -> None:
        """The narrowing stands on disk when this returns. Twice the same does no harm."""
        async with self._one_at_a_time:
            await asyncio.to_thread(self._append, _line(narrowing))

    def ids(self) -> Iterator[UUID]:
        """The narrowings in it; a line that a crash cut off is passed over: nobody was told of it."""
        if not self._path.exists():
            return
        with self._path.open(encoding="utf-8") as lines:
            for line in lines:
                with contextlib.suppress(ValueError, KeyError):
                    yield UUID(json.loads(line)["narrowing_id"])

    def _append(self, line: str) -> None:
        new = not self._path.exists()
        with self._path.open("a+b") as file:
            # A line that a crash cut off mustn't swallow the next one.
            if file.tell() and not _ends_whole(self._path):
                file.write(b"\n")
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
        if new:
            _sync_folder(self._path.parent)


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _sync_folder(folder: Path) -> None:
    """A new file's name is on disk only when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _line(narrowing: Narrowing) -> str:
    entry = {
        "narrowing_id": str(narrowing.narrowing_id),
        "subject": str(narrowing.subject),
        "kind": narrowing.kind,
        "record_id": str(narrowing.record_id or ""),
        "epoch": narrowing.version[0],
        "version": narrowing.version[1],
        "recorded_at": narrowing.recorded_at.isoformat(),
    }
    return json.dumps(entry, separators=(",", ":")) + "\n"
