"""Does the audit hold? Each row's digest, the chain over them, each writer's numbers, each signed checkpoint.

Digests are computed here, of built-in functions alone: who can alter a row in the
database can alter `audit_digest()` too.
"""
# ruff: noqa: S608 - the fragment is a constant of our own, values never

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ecm.exchange.audit.chain import GENESIS, Checkpoint, Signer, link, parse_line
from ecm.exchange.disclosure.disclose_sql import DIGEST_OF_A
from ecm.kit.db.engine import make_engine

MOST_FAULTS = 100
MINUTES = 600.0

# Each seal with its run of rows; `digests`, which may be long, with the last.
_SEALED = text(f"""
    SELECT s.seq, s.writer, s.n AS last, s.chain, r.n, substring(s.digests FROM r.at FOR 32) AS digest,
           a.digest AS stored, {DIGEST_OF_A} AS computed, CASE WHEN r.n = s.n THEN s.digests END AS digests
      FROM audit_seal s
     CROSS JOIN LATERAL (SELECT s.n - place AS n, length(s.digests) - 32 * place - 31 AS at
                           FROM generate_series((length(s.digests) - 1) / 32, 0, -1) AS place) r
      LEFT JOIN audit a ON a.writer = s.writer AND a.n = r.n ORDER BY s.seq, r.n""")
_TAIL = text(f"""
    SELECT a.writer, count(*) AS rows, min(a.n) AS first, max(a.n) AS last,
           coalesce((SELECT max(s.n) FROM audit_seal s WHERE s.writer = a.writer), 0) AS sealed,
           count(*) FILTER (WHERE a.digest IS DISTINCT FROM {DIGEST_OF_A}) AS altered
      FROM audit a WHERE a.n > coalesce((SELECT max(s.n) FROM audit_seal s WHERE s.writer = a.writer), 0)
     GROUP BY a.writer""")
_CHECKPOINTS = text("SELECT seq, chain, at, signature FROM audit_checkpoint ORDER BY seq")


@dataclass(slots=True)
class Verdict:
    """What was looked at, and what is wrong, in plain words."""

    verified: int = 0
    unsealed: int = 0
    checkpoints: int = 0
    faults: list[str] = field(default_factory=list)

    def fault(self, words: str) -> None:
        """Notes a fault; the first hundred are told."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(words)


async def verify(engine: AsyncEngine, signer: Signer, directory: Path) -> Verdict:
    """The verdict over one state of the database; reads every row."""
    verdict = Verdict()
    reader = make_engine(engine.url, pool_size=1, app_name="ecm-exchange-verify", answer_seconds=MINUTES)
    try:
        await _verify(reader, signer, directory, verdict)
    finally:
        await reader.dispose()
    return verdict


async def _verify(engine: AsyncEngine, signer: Signer, directory: Path, verdict: Verdict) -> None:
    async with engine.connect() as plain:
        conn = await plain.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        async with conn.begin():
            await conn.execute(text(f"SET LOCAL statement_timeout = '{MINUTES:g}s'"))
            await conn.execute(text("SET LOCAL search_path = pg_catalog, public"))
            stored = [Checkpoint(*row) for row in await conn.execute(_CHECKPOINTS)]
            checkpoints = _signed([*stored, *_copies(directory, verdict)], signer, verdict)
            await _walk(conn, checkpoints, verdict)
            await _tail(conn, verdict)


def _copies(directory: Path, verdict: Verdict) -> Iterable[Checkpoint]:
    for path in sorted(directory.glob("*.jsonl")):
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            try:
                yield parse_line(line)
            except ValueError:
                verdict.fault(f"{path.name}, line {number}: isn't a checkpoint.")


def _signed(found: Iterable[Checkpoint], signer: Signer, verdict: Verdict) -> dict[int, set[bytes]]:
    """The chain's values that checkpoints of ours name, by seal."""
    known: dict[int, set[bytes]] = {}
    for checkpoint in found:
        if signer.holds(checkpoint):
            known.setdefault(checkpoint.seq, set()).add(checkpoint.chain)
        else:
            verdict.fault(f"The checkpoint at seal {checkpoint.seq} has a wrong signature.")
    return known


async def _walk(conn: AsyncConnection, checkpoints: dict[int, set[bytes]], verdict: Verdict) -> None:
    chain, seq = GENESIS, 0
    numbers: dict[UUID, int] = {}
    async with conn.stream(_SEALED) as rows:
        async for row in rows:
            _check_row(row, verdict)
            _check_number(row, numbers, verdict)
            verdict.verified += 1
            if row.digests is None:
                continue
            seq += 1
            if row.seq != seq:
                verdict.fault(f"The chain has no seal {seq}: {row.seq} comes next.")
                seq = row.seq
            if link(chain, row.writer, row.last, row.digests) != row.chain:
                verdict.fault(f"The chain is broken at {row.seq}.")
            # Goes on from what is stored, so that one fault isn't told of every later seal.
            chain = row.chain
            _check_points(seq, chain, checkpoints, verdict)
    for beyond in sorted(number for number in checkpoints if number > seq):
        verdict.fault(f"The chain ends at seal {seq}, but a signed checkpoint names seal {beyond}: rows were cut off.")


def _check_row(row: Any, verdict: Verdict) -> None:
    if row.stored is None:
        verdict.fault(f"Row {row.writer}/{row.n} is gone.")
    elif row.digest != row.stored or row.computed != row.stored:
        verdict.fault(f"Row {row.writer}/{row.n} was altered.")


def _check_number(row: Any, numbers: dict[UUID, int], verdict: Verdict) -> None:
    expected = numbers.get(row.writer, 0) + 1
    if row.n != expected:
        verdict.fault(f"Writer {row.writer} has {row.n} where {expected} belongs.")
    numbers[row.writer] = row.n


def _check_points(seq: int, chain: bytes, checkpoints: dict[int, set[bytes]], verdict: Verdict) -> None:
    for named in checkpoints.get(seq, ()):
        if named == chain:
            verdict.checkpoints += 1
        else:
            verdict.fault(f"The signed checkpoint at seal {seq} names another chain.")


async def _tail(conn: AsyncConnection, verdict: Verdict) -> None:
    for row in await conn.execute(_TAIL):
        verdict.unsealed += row.rows
        if row.first != row.sealed + 1 or row.last != row.sealed + row.rows:
            verdict.fault(f"Writer {row.writer} has a gap behind {row.sealed}.")
        if row.altered:
            verdict.fault(f"{row.altered} unsealed rows of writer {row.writer} were altered.")
