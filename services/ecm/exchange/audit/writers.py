"""A few writers that share the requests which wait: one agency's asks go in one `disclose()` call (baseline C).

Agencies take turns, and in an agency its clients: whoever asks for much waits for their own.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable

import asyncpg

from ecm.exchange.asks import Answer, Ask, Kind, together
from ecm.exchange.audit.line import Line, Waiting
from ecm.exchange.audit.writer import Writer
from ecm.exchange.caller import PartnerCaller
from ecm.kit.db.failures import is_transient
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import Ids
from ecm.kit.telemetry import logger
from ecm.kit.trace import current_trace

READS_PER_CALL = 32
SEARCHES_PER_CALL = 8
WAIT_SECONDS = 12.0
LATE_SECONDS = 0.5
TURNS = 4
"""Of the event loop, in which nobody asked: then a call begins."""
RECONNECT_SECONDS = 0.2


_Key = tuple[str, Kind]
"""Agency, and what goes together in one call."""


class Writers:
    """Takes asks from everybody, and hands each waiting agency's to the next free writer."""

    def __init__(self, url: str, ids: Ids, count: int) -> None:
        self._url = url
        self._ids = ids
        self._count = count
        self._lines: dict[_Key, Line] = {}
        self._ready: asyncio.Queue[_Key] = asyncio.Queue()
        # What is in the queue of those that are ready, once each; and how many calls of each are under way.
        self._next: set[_Key] = set()
        self._calls: Counter[_Key] = Counter()
        self._under_way: list[list[Waiting]] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Opens every writer; raises where the database can't be reached."""
        opened = [await Writer.open(self._url, self._ids) for _ in range(self._count)]
        self._tasks = [asyncio.create_task(self._serve(writer), name="writer") for writer in opened]
        self._tasks.append(asyncio.create_task(self._give_up(), name="writers-late"))

    async def stop(self) -> None:
        """Ends the writers, after the calls in hand."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def disclose(self, caller: PartnerCaller, ask: Ask) -> Answer:
        """The committed answer; PEER_UNREACHABLE where the database is away or busy."""
        document = ask.document(caller.client, caller.user, current_trace().trace_id)
        loop = asyncio.get_running_loop()
        waiting = Waiting(caller.client, document, loop.create_future(), loop.time() + WAIT_SECONDS)
        key = (caller.agency, together(ask.kind))
        line = self._lines.setdefault(key, Line())
        line.append(waiting)
        # Who asks while a call of the same sort is under way goes with the next, unless enough wait to fill one.
        if not self._calls[key] or len(line) >= _most(key):
            self._make_ready(key)
        return await waiting.answer

    def _make_ready(self, key: _Key) -> None:
        """Once, however much waits: then it is the others' turn."""
        if key not in self._next:
            self._next.add(key)
            self._ready.put_nowait(key)

    async def _serve(self, writer: Writer) -> None:
        try:
            while True:
                key = await self._ready.get()
                self._next.discard(key)
                self._calls[key] += 1
                try:
                    if writer.lost:
                        writer = await self._reopen()
                    await self._gather(key)
                    await self._call(writer, key)
                finally:
                    self._done(key)
        finally:
            writer.end()

    async def _call(self, writer: Writer, key: _Key) -> None:
        batch = self._take(key)
        self._under_way.append(batch)
        try:
            await self._answer(writer, key[0], batch)
        finally:
            self._under_way.remove(batch)

    async def _gather(self, key: _Key) -> None:
        """Waits while more come in: a call costs some 250 µs of its own, a read in it 40."""
        line, seen = self._lines[key], 0
        while seen < len(line) < _most(key):
            seen = len(line)
            for _ in range(TURNS):
                await asyncio.sleep(0)

    def _take(self, key: _Key) -> list[Waiting]:
        line = self._lines[key]
        batch = line.take(_most(key))
        if len(line) >= _most(key):
            self._make_ready(key)
        # Who has given up meanwhile was answered 503: nothing of theirs is to be written.
        return [waiting for waiting in batch if not waiting.answer.done()]

    def _done(self, key: _Key) -> None:
        self._calls[key] -= 1
        if self._lines[key]:
            self._make_ready(key)

    async def _give_up(self) -> None:
        """Answers who has waited too long: one timer for all, not one a request."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LATE_SECONDS)
            waiting_anywhere: list[Iterable[Waiting]] = [*self._lines.values(), *self._under_way]
            for several in waiting_anywhere:
                late = [waiting for waiting in several if waiting.until < loop.time()]
                _fail(late, DomainError(Reason.PEER_UNREACHABLE, "The exchange is busy; try again."))

    async def _reopen(self) -> Writer:
        while True:
            try:
                return await Writer.open(self._url, self._ids)
            except (OSError, TimeoutError, asyncpg.PostgresError) as error:
                logger().warning("release.reconnect", error_class=type(error).__name__)
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _answer(self, writer: Writer, agency: str, batch: list[Waiting]) -> None:
        if not batch:
            return
        try:
            answers = await writer.disclose(agency, [waiting.document for waiting in batch])
        except asyncio.CancelledError:
            _fail(batch, DomainError(Reason.PEER_UNREACHABLE, "The exchange is stopping; try again."))
            raise
        except Exception as error:
            await self._failed(writer, agency, batch, error)
            return
        for waiting, answer in zip(batch, answers, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(answer)

    async def _failed(self, writer: Writer, agency: str, batch: list[Waiting], error: Exception) -> None:
        """A faulty ask mustn't take others with it: each is tried alone, once."""
        if len(batch) > 1 and not writer.lost and not is_transient(error):
            for waiting in batch:
                await self._answer(writer, agency, [waiting])
            return
        logger().warning("release.failed", error_class=type(error).__name__, sqlstate=getattr(error, "sqlstate", None))
        if is_transient(error) or writer.lost:
            _fail(batch, DomainError(Reason.PEER_UNREACHABLE, "The exchange's database is away or busy; try again."))
        else:
            _fail(batch, DomainError(Reason.INTERNAL, "The exchange failed; nothing was disclosed."))


def _fail(batch: list[Waiting], error: DomainError) -> None:
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)


def _most(key: _Key) -> int:
    return READS_PER_CALL if key[1] == "read" else SEARCHES_PER_CALL
