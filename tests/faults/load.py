"""Meanwhile: other children are referred and consented, and what is open is read, at a modest rate."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ecm.demo.journey import Journey
from ecm.demo.material import Subject
from ecm.demo.steps import consenting, referring

WRITER_REST, READER_REST = 0.5, 0.25


class Load:
    """Works in threads of its own between the beginning and the end of `going`."""

    def __init__(self, begin: Callable[[Subject], Journey], subjects: Iterator[Subject], seed: int) -> None:
        self._begin = begin
        self._subjects = subjects
        self._chance = random.Random(seed)
        self._stop = threading.Event()
        self._failures: list[BaseException] = []
        self.finished: list[Journey] = []
        self.reads = 0

    @contextmanager
    def going(self) -> Iterator[None]:
        """The load, during the block; raises at its end what went wrong."""
        threads = [threading.Thread(target=self._guarded, args=(work,)) for work in (self._refer, self._read)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
        if self._failures:
            raise self._failures[0]

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            while not self._stop.is_set():
                work()
        except BaseException as error:
            self._failures.append(error)

    def _refer(self) -> None:
        journey = self._begin(next(self._subjects))
        try:
            for take in (referring.register, referring.refer, consenting.consent):
                take(journey)
        finally:
            journey.close()
        self.finished.append(journey)
        time.sleep(WRITER_REST)

    def _read(self) -> None:
        if self.finished:
            journey = self._chance.choice(self.finished)
            self._read_of(journey)
        time.sleep(READER_REST)

    def _read_of(self, journey: Journey) -> None:
        reader = self._begin(journey.subject)
        try:
            seen: list[dict[str, Any]] = reader.psychology.everything(journey.subject.identifier)
            self.reads += 1 + len(seen[:3])
            for one in seen[:3]:
                reader.psychology.get(f"{one['resourceType']}/{one['id']}")
        finally:
            reader.close()
