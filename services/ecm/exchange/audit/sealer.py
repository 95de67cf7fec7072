"""The sealer: chains committed audit rows within a second, and signs checkpoints at least every minute."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ecm.exchange.audit.chain import GENESIS, Checkpoint, Signer, link
from ecm.kit.clock import Clock
from ecm.kit.telemetry import logger

TICK_SECONDS = 0.4
CHECKPOINT_SECONDS = 30.0
ROWS_PER_WRITER = 5_000

# Copies of the exchange take turns.
_TURN = text("SELECT pg_try_advisory_xact_lock(hashtextextended('ecm-sealer', 0))")
# Whose lock can be had is gone, with everything that it will ever commit: its connection held it.
_GONE = text("""
    SELECT w.writer FROM audit_writer w
     WHERE NOT w.ended AND pg_try_advisory_xact_lock(hashtextextended('ecm-writer:' || w.writer, 0))""")
_TIP = text("SELECT seq, chain FROM audit_seal ORDER BY seq DESC LIMIT 1")
_UNSEALED = text("""
    SELECT a.writer, a.n, a.digest, s.sealed FROM audit_writer w
     CROSS JOIN LATERAL (SELECT coalesce(max(n), 0) AS sealed FROM audit_seal WHERE writer = w.writer) s
     CROSS JOIN LATERAL (SELECT writer, n, digest FROM audit WHERE writer = w.writer AND n > s.sealed
                          ORDER BY n LIMIT :limit) a
     WHERE NOT w.ended ORDER BY a.writer, a.n""")
_SEAL = """INSERT INTO audit_seal (seq, writer, n, digest, chain)
    SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::bytea[], $5::bytea[])"""
_END = text("UPDATE audit_writer SET ended = true WHERE writer = ANY(:writers)")
_LAST = text("SELECT coalesce(max(seq), 0) FROM audit_checkpoint")
_CHECKPOINT = text("INSERT INTO audit_checkpoint (seq, chain, signature, at) VALUES (:seq, :chain, :signature, :at)")


class Sealer:
    """Runs beside the API; what it hasn't sealed yet, `verify` names."""

    def __init__(self, engine: AsyncEngine, signer: Signer, directory: Path, clock: Clock) -> None:
        self._engine = engine
        self._signer = signer
        self._directory = directory
        self._clock = clock
        self._due = 0.0

    async def run(self) -> None:
        """Seals until cancelled; an outage of the database is ridden out."""
        while True:
            try:
                await self.seal()
                # The first rows are signed at once, later ones together.
                if self._clock.boottime() >= self._due and await self.checkpoint() is not None:
                    self._due = self._clock.boottime() + CHECKPOINT_SECONDS
            except Exception as error:
                logger().warning("audit.sealer_failed", exc_info=error)
                await asyncio.sleep(1)
            await asyncio.sleep(TICK_SECONDS)

    async def finish(self) -> None:
        """Seals and signs what is there; at a graceful stop."""
        await self.seal()
        await self.checkpoint()

    async def seal(self) -> int:
        """Chains what is committed and not yet chained; how many rows."""
        async with self._engine.begin() as conn:
            if not (await conn.execute(_TURN)).scalar_one():
                return 0
            gone = list((await conn.execute(_GONE)).scalars())
            tip = (await conn.execute(_TIP)).first()
            rows = (await conn.execute(_UNSEALED, {"limit": ROWS_PER_WRITER})).all()
            await _chain(conn, tip, _gapless(rows))
            counts: dict[UUID, int] = {}
            for row in rows:
                counts[row.writer] = counts.get(row.writer, 0) + 1
            ended = [writer for writer in gone if counts.get(writer, 0) < ROWS_PER_WRITER]
            if ended:
                await conn.execute(_END, {"writers": ended})
            return len(rows)

    async def checkpoint(self) -> Checkpoint | None:
        """Signs the chain's end and copies it outside of PostgreSQL; None where nothing is new."""
        async with self._engine.begin() as conn:
            if not (await conn.execute(_TURN)).scalar_one():
                return None
            tip = (await conn.execute(_TIP)).first()
            if tip is None or tip.seq <= (await conn.execute(_LAST)).scalar_one():
                return None
            made = self._signer.sign(tip.seq, tip.chain, self._clock.now())
            values = {"seq": made.seq, "chain": made.chain, "signature": made.signature, "at": made.at}
            await conn.execute(_CHECKPOINT, values)
            # Inside the transaction: what isn't copied isn't called signed.
            await asyncio.to_thread(self._copy, made)
            return made

    def _copy(self, made: Checkpoint) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._directory / f"{made.at:%Y-%m-%d}.jsonl"
        with path.open("ab") as file:
            file.write(made.line(self._signer.public_key))
            file.flush()
            os.fsync(file.fileno())


def _gapless(rows: Sequence[Any]) -> list[Any]:
    """The rows up to each writer's first gap. There is none by design; `verify` would name it."""
    expected: dict[UUID, int] = {}
    found = []
    for row in rows:
        if row.n == expected.get(row.writer, row.sealed) + 1:
            found.append(row)
            expected[row.writer] = row.n
    return found


async def _chain(conn: AsyncConnection, tip: Any, rows: Sequence[Any]) -> None:
    if not rows:
        return
    seq, chain = (tip.seq, tip.chain) if tip is not None else (0, GENESIS)
    chains = []
    for row in rows:
        chain = link(chain, row.writer, row.n, row.digest)
        chains.append(chain)
    numbers = list(range(seq + 1, seq + 1 + len(rows)))
    columns = ([row.writer for row in rows], [row.n for row in rows], [row.digest for row in rows])
    await conn.exec_driver_sql(_SEAL, (numbers, *columns, chains))
