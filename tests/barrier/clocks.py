"""Wall clocks that step, per process: libfaketime reads a file of the process's own at each look at the clock."""

import ctypes
import os
import secrets
from pathlib import Path

LIBRARIES = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
)


class Clocks:
    """The clocks of a run. Without the library (Debian: libfaketime) they can't step; `why` then says so."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._library = next((path for path in LIBRARIES if Path(path).exists()), "")
        self.why = "" if self._library else "libfaketime isn't installed (Debian: apt-get install libfaketime)"
        self._shared = ""
        if self._library:
            folder.mkdir(mode=0o755, exist_ok=True)
            # Its own shared objects belong to whom a process was before it gave up root: it couldn't open them then.
            self._shared = _shared_objects(f"ecm_barrier_{secrets.token_hex(4)}")

    def environment(self, process: str) -> dict[str, str]:
        """What a process must be started with, so that its clock can be stepped."""
        if not self._library:
            return {}
        self.step(process, 0)
        return {
            "LD_PRELOAD": self._library,
            "FAKETIME_TIMESTAMP_FILE": str(self._file(process)),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_SHARED": self._shared,
        }

    def step(self, process: str, seconds: int) -> None:
        """The process's wall clock is so far off from now on."""
        made = self._file(process).with_suffix(".new")
        made.write_text(f"{seconds:+d}\n", encoding="ascii")
        made.chmod(0o644)
        made.replace(self._file(process))

    def close(self) -> None:
        """Removes what was shared."""
        for name in self._shared.split():
            for path in (Path(f"/dev/shm/sem.{name[1:]}"), Path(f"/dev/shm{name}")):
                path.unlink(missing_ok=True)

    def _file(self, process: str) -> Path:
        return self._folder / process


def _shared_objects(name: str) -> str:
    """A semaphore and eight bytes that every account may open."""
    before = os.umask(0)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        library.sem_open.restype = ctypes.c_void_p
        if not library.sem_open(f"/{name}_sem".encode(), os.O_CREAT, 0o666, 1):
            raise OSError(ctypes.get_errno(), "sem_open")
        Path(f"/dev/shm/{name}_shm").write_bytes(bytes(8))
    finally:
        os.umask(before)
    return f"/{name}_sem /{name}_shm"
