"""A few writers that share the requests which wait: one agency's asks go in one `disclose()` call (baseline C).

Agencies take turns, and in an agency its clients: whoever asks for much waits for their own.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import asyncpg

from ecm.exchange.audit.line import Line, Waiting
from ecm.exchange.audit.turns import Turns
from ecm.exchange.audit.writer import Writer
from ecm.exchange.disclosure.asks import Answer, Ask, Kind, together
from ecm.exchange.disclosure.caller import PartnerCaller
from ecm.kit.db.failures import is_transient
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import Ids
from ecm.kit.telemetry import logger
from ecm.kit.trace import current_trace

READS_PER_CALL = 32
SEARCHES_PER_CALL = 8
QUERIES_PER_CALL = 1
"""Of searches whose statement isn't held: each is one of its own, and may look at much. One call of them at a time."""
WAIT_SECONDS = 12.0
LATE_SECONDS = 0.5
TURNS = 4
"""Of the event loop, in which nobody asked: then a call begins."""
AT_ONCE = 2
"""Calls of one sort, each with half of those who ask: while one is with the database, the other's answers are sent."""
FEWEST = 4
"""Asks for which a call of their own is worth its cost."""
RECONNECT_SECONDS = 0.2
REST_SECONDS = 15.0
"""For so long a writer may be silent: what lies between forgets connections, and says nothing."""


_PER_CALL: dict[Kind, int] = {"read": READS_PER_CALL, "query": QUERIES_PER_CALL}
_Key = tuple[str, Kind]
"""Agency, and what goes together in one call."""
_Outcome = Answer | DomainError


class Writers:
    """Takes asks from everybody, and hands each waiting agency's to the next free writer."""

    def __init__(self, url: str, ids: Ids, count: int) -> None:
        self._url = url
        self._ids = ids
        self._count = count
        self._lines: dict[_Key, Line] = {}
        self._ready: Turns[_Key] = Turns()
        # What is in the queue of those that are ready, once each, until its call begins.
        self._next: set[_Key] = set()
        # The calls of each; and how many ask at once, as it was lately.
        self._under_way: defaultdict[_Key, list[list[Waiting]]] = defaultdict(list)
        self._around: defaultdict[_Key, int] = defaultdict(int)
        # Of an agency: writers that it has or is next for, never all; and what waits behind those, in order.
        self._share = max(1, count - 1)
        self._busy: Counter[str] = Counter()
        self._behind: defaultdict[str, dict[_Key, None]] = defaultdict(dict)
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
        self._lines.setdefault(key, Line()).append(waiting)
        self._look(key)
        return await waiting.answer

    def _look(self, key: _Key) -> None:
        """Makes ready what is to be called for, once, however much waits: then it is the others' turn.

        Who asks while a call of the same sort is under way goes with the next, unless there are enough for another.
        """
        waiting, calls = len(self._lines[key]), len(self._under_way[key])
        enough = self._enough(key) if calls < AT_ONCE else _most(key)
        if key in self._next or not waiting or (calls and (waiting < enough or key[1] == "query")):
            return
        if self._busy[key[0]] >= self._share:
            self._behind[key[0]][key] = None
            return
        self._busy[key[0]] += 1
        self._next.add(key)
        self._ready.give(key)

    def _enough(self, key: _Key) -> int:
        """For a call: half of those who ask, all of a few."""
        around = self._around[key]
        share = -(-around // AT_ONCE) if around >= AT_ONCE * FEWEST else max(around, FEWEST)
        return min(share, _most(key))

    async def _serve(self, writer: Writer) -> None:
        try:
            while True:
                key = await self._next_for(writer)
                if writer.lost:
                    if key is not None:
                        # Another may be there for it.
                        self._ready.give(key)
                    writer = await self._reopen()
                elif key is not None:
                    await self._gather(key)
                    self._next.discard(key)
                    await self._call(writer, key)
        finally:
            writer.end()

    async def _next_for(self, writer: Writer) -> _Key | None:
        """What is ready; None where nothing was for a while, and the writer was looked after."""
        try:
            async with asyncio.timeout(REST_SECONDS):
                return await self._ready.take()
        except TimeoutError:
            await writer.look()
            return None

    async def _gather(self, key: _Key) -> None:
        """Waits while more come in: a call costs some 250 µs of its own, a read in it 40."""
        line, seen = self._lines[key], 0
        while seen < len(line) < self._enough(key):
            seen = len(line)
            for _ in range(TURNS):
                await asyncio.sleep(0)

    async def _call(self, writer: Writer, key: _Key) -> None:
        batch = self._take(key)
        calls = self._under_way[key]
        calls.append(batch)
        try:
            outcomes = await self._ask(writer, key[0], batch)
        except asyncio.CancelledError:
            _tell(batch, [_away("The exchange is stopping; try again.")] * len(batch))
            raise
        finally:
            calls.remove(batch)
            self._busy[key[0]] -= 1
            # Who was left behind goes now, or with who asks meanwhile. The agency's other sorts go first.
            for one in (*self._behind.pop(key[0], ()), key):
                self._look(one)
        try:
            # The next call is on its way before these are answered, which takes as long as a call. What a step of the
            # loop writes is sent when all that was ready has run.
            await asyncio.sleep(0)
        finally:
            _tell(batch, outcomes)

    def _take(self, key: _Key) -> list[Waiting]:
        line = self._lines[key]
        present = len(line) + sum(map(len, self._under_way[key]))
        # That there are fewer is believed slowly: who was just answered asks again.
        self._around[key] = max(present, self._around[key] - 1)
        # Who has given up meanwhile was answered 503: nothing of theirs is to be written.
        return [waiting for waiting in line.take(self._enough(key)) if not waiting.answer.done()]

    async def _give_up(self) -> None:
        """Answers who has waited too long: one timer for all, not one a request."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LATE_SECONDS)
            calls = (batch for several in self._under_way.values() for batch in several)
            waiting_anywhere: list[Iterable[Waiting]] = [*self._lines.values(), *calls]
            for several in waiting_anywhere:
                late = [waiting for waiting in several if waiting.until < loop.time()]
                _tell(late, [_away("The exchange is busy; try again.")] * len(late))

    async def _reopen(self) -> Writer:
        while True:
            try:
                return await Writer.open(self._url, self._ids)
            except (OSError, TimeoutError, asyncpg.PostgresError) as error:
                logger().warning("release.reconnect", error_class=type(error).__name__)
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _ask(self, writer: Writer, agency: str, batch: list[Waiting]) -> list[_Outcome]:
        if not batch:
            return []
        try:
            return [*await writer.disclose(agency, [waiting.document for waiting in batch])]
        except Exception as error:
            return await self._failed(writer, agency, batch, error)

    async def _alone(self, writer: Writer, agency: str, waiting: Waiting) -> _Outcome:
        """Told at once: what is committed doesn't wait for others, who may wait for a narrowing."""
        (outcome,) = await self._ask(writer, agency, [waiting])
        _tell([waiting], [outcome])
        return outcome

    async def _failed(self, writer: Writer, agency: str, batch: list[Waiting], error: Exception) -> list[_Outcome]:
        """A faulty ask mustn't take others with it: each is tried alone, once."""
        if len(batch) > 1 and not writer.lost and not is_transient(error):
            return [await self._alone(writer, agency, waiting) for waiting in batch]
        logger().warning("release.failed", error_class=type(error).__name__, sqlstate=getattr(error, "sqlstate", None))
        if is_transient(error) or writer.lost:
            problem = _away("The exchange's database is away or busy; try again.")
        else:
            problem = DomainError(Reason.INTERNAL, "The exchange failed; nothing was disclosed.")
        return [problem] * len(batch)


def _tell(batch: list[Waiting], outcomes: Sequence[_Outcome]) -> None:
    for waiting, outcome in zip(batch, outcomes, strict=True):
        if waiting.answer.done():
            continue
        if isinstance(outcome, DomainError):
            waiting.answer.set_exception(outcome)
        else:
            waiting.answer.set_result(outcome)


def _away(why: str) -> DomainError:
    return DomainError(Reason.PEER_UNREACHABLE, why)


def _most(key: _Key) -> int:
    return _PER_CALL.get(key[1], SEARCHES_PER_CALL)
