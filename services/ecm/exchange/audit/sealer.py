"""The sealer: chains committed audit rows, in runs, within a second, and signs checkpoints at least every minute."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ecm.exchange.audit.chain import GENESIS, Checkpoint, Signer, link
from ecm.kit.clock import Clock
from ecm.kit.telemetry import logger

TICK_SECONDS = 0.4
CHECKPOINT_SECONDS = 30.0
ROWS_PER_WRITER = 10_000

# Copies of the exchange take turns.
_TURN = text("SELECT pg_try_advisory_xact_lock(hashtextextended('ecm-sealer', 0))")
# Whose lock can be had is gone, with everything that it will ever commit: its connection held it.
_GONE = text("""
    SELECT w.writer FROM audit_writer w
     WHERE NOT w.ended AND pg_try_advisory_xact_lock(hashtextextended('ecm-writer:' || w.writer, 0))""")
_TIP = text("SELECT seq, chain FROM audit_seal ORDER BY seq DESC LIMIT 1")
# A run of each writer: what follows on what is sealed, up to the first gap. There is none by design; `verify` would
# name it.
_UNSEALED = text("""
    SELECT w.writer, max(a.n) AS n, string_agg(a.digest, ''::bytea ORDER BY a.n) AS digests, count(*) AS rows
      FROM audit_writer w
     CROSS JOIN LATERAL (SELECT coalesce(max(n), 0) AS sealed FROM audit_seal WHERE writer = w.writer) s
     CROSS JOIN LATERAL (SELECT n, digest, row_number() OVER (ORDER BY n) AS place FROM audit
                          WHERE writer = w.writer AND n > s.sealed ORDER BY n LIMIT :limit) a
     WHERE NOT w.ended AND a.n = s.sealed + a.place GROUP BY w.writer ORDER BY w.writer""")
_SEAL = text("""INSERT INTO audit_seal (seq, writer, n, digests, chain)
    VALUES (:seq, :writer, :n, :digests, :chain)""")
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
            await _chain(conn, tip, rows)
            full = {row.writer for row in rows if row.rows == ROWS_PER_WRITER}
            ended = [writer for writer in gone if writer not in full]
            if ended:
                await conn.execute(_END, {"writers": ended})
            return sum(row.rows for row in rows)

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


async def _chain(conn: AsyncConnection, tip: Any, runs: Sequence[Any]) -> None:
    last, chain = (tip.seq, tip.chain) if tip is not None else (0, GENESIS)
    for seq, run in enumerate(runs, last + 1):
        chain = link(chain, run.writer, run.n, run.digests)
        values = {"seq": seq, "writer": run.writer, "n": run.n, "digests": run.digests, "chain": chain}
        await conn.execute(_SEAL, values)
