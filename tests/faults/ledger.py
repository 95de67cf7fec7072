"""What the clients of a run did: each command with its times and its answer, and how many requests were answered."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from ecm.kit.back_off import back_off

T = TypeVar("T")
PATIENCE_SECONDS = 120.0
BACK_OFF_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.0)


class ImpatientError(Exception):
    """A call wasn't answered for so long that the product counts as down; the message names the last refusal."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command as its client saw it. `sent` and `answered` are on `time.monotonic`; ids as the answer names them."""

    service: str
    method: str
    record_id: str
    version: int
    sent: float
    answered: float


@dataclass
class Ledger:
    """Filled by every client of a run, read by the checker at its end."""

    commands: list[Command] = field(default_factory=list)
    answered: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, command: Command) -> None:
        """A command was answered."""
        with self._lock:
            self.commands.append(command)

    def count(self, client: str) -> None:
        """A partner's request was answered, so it must stand in the audit."""
        with self._lock:
            self.answered[client] += 1

    def persist(self, attempt: Callable[[], T], passes: Callable[[Exception], str]) -> T:
        """The attempt's answer, tried again as long as its error `passes` by itself ("" says it doesn't: raised)."""
        end, tries = time.monotonic() + PATIENCE_SECONDS, 0
        while True:
            try:
                return attempt()
            except Exception as error:
                why = passes(error)
                if not why:
                    raise
                with self._lock:
                    self.refused[why] += 1
                if time.monotonic() > end:
                    raise ImpatientError(f"Not answered for {PATIENCE_SECONDS:g} s; at last {why}.") from error
            time.sleep(back_off(BACK_OFF_SECONDS, tries))
            tries += 1
