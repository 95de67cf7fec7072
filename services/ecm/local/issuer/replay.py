"""Which assertions were used already: kept on disk, so that a restart forgives no replay."""

import sqlite3
from pathlib import Path


class UsedAssertions:
    """Remembers (client, jti) until the assertion has expired anyway."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        # A kill of the process loses nothing so; after a loss of power the assertions have expired.
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS used (client TEXT, jti TEXT, expires INTEGER, PRIMARY KEY (client, jti))"
        )

    def use(self, client: str, jti: str, expires: int, now: int) -> bool:
        """Take an assertion; False where it was taken before. `expires` and `now` in seconds since 1970."""
        self._connection.execute("DELETE FROM used WHERE expires < ?", (now - 60,))
        done = self._connection.execute("INSERT OR IGNORE INTO used VALUES (?, ?, ?)", (client, jti, expires))
        return done.rowcount == 1
