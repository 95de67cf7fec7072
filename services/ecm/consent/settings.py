"""What `consent` is told by its environment."""

from pathlib import Path
from typing import ClassVar

from ecm.kit.settings import ServiceSettings


class ConsentSettings(ServiceSettings):
    """The common settings, the narrowings' journal and the lease.

    The journal is an append-only file outside the database's backup: after a
    restore it says which narrowings the backup lacks.
    """

    service: ClassVar[str] = "consent"

    narrowing_journal: Path
    lease_seconds: float = 30.0
