"""Where one state keeps its files, and where the cache stands."""

import os
from dataclasses import dataclass
from pathlib import Path

from ecm.admin.paths import SecretPaths


@dataclass(frozen=True, slots=True)
class StatePaths(SecretPaths):
    """The rooms of one state directory: the region's secrets, what runs, and its data."""

    @property
    def state_file(self) -> Path:
        """What runs now: written by the supervisor, read by everybody else."""
        return self.root / "state.json"

    @property
    def plan_file(self) -> Path:
        """What is to run: ports, parts, region file, overridden settings."""
        return self.root / "plan.json"

    @property
    def lock_file(self) -> Path:
        """Held by the one supervisor of this state."""
        return self.root / "lock"

    @property
    def logs(self) -> Path:
        """One log file per part."""
        return self.root / "logs"

    @property
    def postgres(self) -> Path:
        """PostgreSQL's own folder; as root, it belongs to an unprivileged account."""
        return self.root / "postgres"

    @property
    def kafka(self) -> Path:
        """The broker's properties and its log directory."""
        return self.root / "kafka"

    @property
    def issuer(self) -> Path:
        """The issuer's memory of used assertions."""
        return self.root / "issuer"

    @property
    def checkpoints(self) -> Path:
        """Where the exchange copies signed audit checkpoints."""
        return self.root / "checkpoints"

    @property
    def narrowing_journal(self) -> Path:
        """Consent's append-only journal, outside any backup of its database."""
        return self.root / "narrowing.journal"

    def log(self, part: str) -> Path:
        """The log of one part."""
        return self.logs / f"{part}.log"


def default_cache() -> Path:
    """`$ECM_CACHE`, else `.cache/ecm` of the source tree, else the user's own cache folder."""
    if chosen := os.environ.get("ECM_CACHE"):
        return Path(chosen).expanduser().resolve()
    tree = source_tree()
    if tree is not None:
        return tree / ".cache" / "ecm"
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "ecm-exchange"


def source_tree() -> Path | None:
    """The clone this package runs from, or None where it is installed as a wheel."""
    root = Path(__file__).resolve().parents[3]
    return root if (root / "pyproject.toml").is_file() and (root / "services").is_dir() else None


def default_region() -> Path | None:
    """The example region of the source tree, which `ecm up` serves unless told otherwise."""
    tree = source_tree()
    return tree / "deploy" / "regions" / "example" / "region.yaml" if tree is not None else None
