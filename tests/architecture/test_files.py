"""No file names a package registry's host or a path of the machine it was written on; the lock is whole."""

import re
from pathlib import Path

import pytest

from architecture.source import REPOSITORY, shown, tracked

# Written apart, so that this file keeps the rule too.
HOSTS = tuple(
    ".".join(parts)
    for parts in (
        *(("pypi", "org"), ("pythonhosted", "org"), ("maven", "org"), ("maven", "apache", "org")),
        *(("npmjs", "org"), ("npmjs", "com"), ("crates", "io"), ("proxy", "golang", "org"), ("rubygems", "org")),
        *(("ghcr", "io"), ("docker", "io"), ("quay", "io"), ("anaconda", "org"), ("jitpack", "io")),
    )
)
# Whose lines are about every machine's own folders: advice to add a line to /etc/passwd, and why a JVM leaves nothing.
SPEAK_OF_FOLDERS = (
    "services/ecm/local/account.py",
    "services/ecm/local/kafka.py",
    # A container's own.
    "docker-compose.yml",
    "deploy/compose/kafka/start.sh",
    ".ci/containers/postgres/entrypoint.sh",
)
FOLDERS = ("work", "root", "home", "Users", "tmp", "var/tmp")
# Debian's package of the engine has a host's name: a host is followed by a path.
PACKAGE = ".".join(("docker", "io"))
_HOST = re.compile("|".join(re.escape(host) + ("/" if host == PACKAGE else "") for host in HOSTS))
_PATH = re.compile(rf"(?<![\w./~$}}-])/(?:{'|'.join(FOLDERS)})(?:/|\b)")
# Papers that the product was planned with, and that no reader has.
PAPERS = ("design" + " §", *(f"{name}.md" for name in ("design", "parts", "baseline", "style")), "the" + " brief")
_PAPER = re.compile("|".join(rf"(?<![\w/-]){re.escape(paper)}" for paper in PAPERS))
_BINARY = frozenset({".png", ".pdf", ".gz", ".jar", ".ico"})


def texts() -> list[Path]:
    """Tracked files that are text."""
    return [path for path in tracked() if path.suffix not in _BINARY]


def found(pattern: re.Pattern[str], text: str) -> list[str]:
    """Lines in which it stands."""
    return [line.strip() for line in text.splitlines() if pattern.search(line)]


@pytest.mark.parametrize("path", texts(), ids=shown)
def test_no_registry_and_no_machine_path(path: Path) -> None:
    text = path.read_text(errors="replace")
    assert found(_HOST, text) == []
    if not shown(path).endswith(SPEAK_OF_FOLDERS):
        assert found(_PATH, text) == []


@pytest.mark.parametrize("path", texts(), ids=shown)
def test_refers_to_what_a_reader_has(path: Path) -> None:
    assert found(_PAPER, path.read_text(errors="replace")) == []


def test_all_are_seen_where_they_stand() -> None:
    for paper in PAPERS:
        assert found(_PAPER, f"# As said elsewhere ({paper}4).")
    assert not found(_PAPER, "A brief design, docs/decisions/0001-design.md")
    for host in HOSTS:
        assert found(_HOST, f"index = https://files.{host}/simple")
    for folder in FOLDERS:
        assert found(_PATH, f'path = "/{folder}/main/x"')
        assert found(_PATH, f"cd /{folder} && ls")
    for fine in ("a/root/b", "$HOME/work", "../tmp/x", "https://example.invalid/work/1", "/var/lib", "/tmpfiles"):
        assert not found(_PATH, fine), fine


REQUIREMENT = re.compile(r"^[a-z0-9][a-z0-9._-]*(\[[a-z0-9,]+\])?==[\w.+!-]+( ; .+)?$")
HASH = re.compile(r"^--hash=sha256:[0-9a-f]{64}$")


def faults(lock: str) -> list[str]:
    """Requirements that aren't pinned with a hash, and lines that are something else."""
    entries = [entry for entry in lock.replace("\\\n", " ").splitlines() if entry.strip()]
    return [entry for entry in entries if not _is_pinned(entry)]


def _is_pinned(entry: str) -> bool:
    requirement, *hashes = re.split(r"\s+(?=--)", entry.strip())
    return bool(REQUIREMENT.match(requirement) and hashes and all(HASH.match(one) for one in hashes))


def test_the_lock_pins_every_package_by_hash() -> None:
    lock = (REPOSITORY / "requirements.lock").read_text()
    assert lock.count("==") > 50
    assert faults(lock) == []
    assert "://" not in lock


def test_a_lock_with_a_hole_is_seen() -> None:
    digest = f"--hash=sha256:{'a' * 64}"
    good = f"one==1.0 \\\n    {digest} \\\n    {digest}\ntwo==2 ; python_version < '3.12' \\\n    {digest}\n"
    assert faults(good) == []
    for bad in ("three==3\n", f"three>=3 \\\n    {digest}\n", "--index-url https://x.invalid\n", f"-e . {digest}\n"):
        assert len(faults(good + bad)) == 1, bad
