"""Apache Kafka's jars: fetched once, and used only where their SHA-256 is the pinned one.

jgo's downloads aren't atomic, a truncated jar is used again, and a wrong checksum only warns: so every jar is
hashed here, at every start, and fetched again where it isn't right. `jgo.build` is not used: it mediates
versions, and these are pinned.
"""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ecm.admin.errors import OperatorError

KAFKA_VERSION = "4.4.0"
PARALLEL = 8

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Pin:
    """One jar: its Maven coordinates and the SHA-256 that it must have."""

    sha256: str
    group: str
    artifact: str
    version: str

    @property
    def file_name(self) -> str:
        """Its name in the cache."""
        return f"{self.artifact}-{self.version}.jar"


def pins() -> list[Pin]:
    """What `kafka-pins.txt` in this package lists."""
    lines = files("ecm.local").joinpath("kafka-pins.txt").read_text(encoding="ascii").splitlines()
    parsed = (line.split() for line in lines if line.strip())
    return [Pin(sha256, *coordinates.split(":")) for sha256, coordinates in parsed]


def ensure(cache: Path, progress: Progress) -> list[Path]:
    """All jars, right in the cache; fetches what isn't. Raises `OperatorError` where one can't be had."""
    folder = cache / "kafka" / KAFKA_VERSION
    wanted = pins()
    if _missing(wanted, folder):
        _make(folder)
        with _one_at_a_time(folder):
            # Asked again: another start may have fetched them while we waited.
            if missing := _missing(wanted, folder):
                _fetch_all(missing, folder, cache / "maven", progress)
    return [folder / pin.file_name for pin in wanted]


def _missing(wanted: list[Pin], folder: Path) -> list[Pin]:
    return [pin for pin in wanted if not _is_right(folder / pin.file_name, pin)]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OperatorError(
            f"The cache {folder} can't be made: {error.strerror}.", "Name another folder: ECM_CACHE=… ecm up."
        ) from error


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Two states that start together must not write the same file."""
    try:
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise OperatorError(
            f"The cache {folder} can't be written: {error.strerror}.", "Name another folder: ECM_CACHE=… ecm up."
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_right(path: Path, pin: Pin) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == pin.sha256
    except FileNotFoundError:
        return False


def _fetch_all(missing: list[Pin], folder: Path, repository: Path, progress: Progress) -> None:
    progress(f"fetching Apache Kafka's jars, 0 of {len(missing)}")
    _trust_system_certificates()
    with ThreadPoolExecutor(PARALLEL) as pool:
        running = [pool.submit(_fetch, pin, folder, repository) for pin in missing]
        try:
            for done, future in enumerate(as_completed(running), start=1):
                future.result()
                progress(f"fetching Apache Kafka's jars, {done} of {len(missing)}")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _fetch(pin: Pin, folder: Path, repository: Path) -> None:
    """Fetch one jar, twice where the first one's hash is wrong."""
    for _ in range(2):
        fetched = _download(pin, repository)
        if _is_right(fetched, pin):
            fetched.replace(folder / pin.file_name)
            return
        fetched.unlink(missing_ok=True)
    raise OperatorError(
        f"{pin.file_name} was fetched twice and has another SHA-256 than the pinned one.",
        "Don't use it. Look at the proxy or mirror between this machine and Maven Central.",
    )


def _download(pin: Pin, repository: Path) -> Path:
    from jgo.maven import MavenContext  # noqa: PLC0415 - of the extra `local`, which a deployment hasn't

    context = MavenContext(repo_cache=repository, timeout=60)
    try:
        component = context.project(pin.group, pin.artifact).at_version(pin.version)
        resolved = component.artifact().resolve()
    except Exception as error:  # jgo raises whatever its HTTP library does
        raise OperatorError(
            f"{pin.file_name} can't be fetched: {type(error).__name__}: {error}", _hint(error)
        ) from error
    return Path(resolved)


def _hint(error: Exception) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return (
            "A private certificate authority stands in between: set REQUESTS_CA_BUNDLE to its certificates' file, "
            "or add it to the system's store."
        )
    return "Look at the network (HTTPS_PROXY is honoured), then run ecm up again: what was fetched stays."


def _trust_system_certificates() -> None:
    """Use the system's certificate store unless a bundle is named: it knows a private authority."""
    if os.environ.get("REQUESTS_CA_BUNDLE"):
        return
    import truststore  # noqa: PLC0415 - as above

    truststore.inject_into_ssl()
