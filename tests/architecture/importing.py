"""Run as a script: imports every module named on standard input, and prints what a module of ours did beside that.

Files opened by Python's own import machinery, and whatever other people's modules do when they are first imported,
aren't ours: the innermost of our frames must be nearer than an import.
"""

import importlib
import sys
from types import FrameType

WATCHED = {
    *("open", "os.listdir", "os.scandir", "os.mkdir", "os.remove", "os.rename", "os.system", "glob.glob"),
    *("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "tempfile.mkstemp"),
}


def blame(frame: FrameType | None, roots: tuple[str, ...]) -> str:
    """Where in our source it was done; "" for an import's own doing."""
    while frame is not None:
        name = frame.f_code.co_filename
        if "importlib" in name:
            return ""
        if name.startswith(roots):
            return f"{name}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def watch(roots: tuple[str, ...]) -> None:
    """From now on tell of every watched event."""

    def hook(event: str, _: object) -> None:
        if event in WATCHED and (where := blame(sys._getframe(1), roots)):
            sys.__stdout__.write(f"{event} {where}\n")  # type: ignore[union-attr]

    sys.addaudithook(hook)


def main() -> None:
    """Arguments: the folders that are ours."""
    watch(tuple(sys.argv[1:]))
    for name in sys.stdin.read().split():
        importlib.import_module(name)


if __name__ == "__main__":
    main()
