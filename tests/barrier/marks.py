"""Marks: at each E the exchange's database notes what is open from then on, and what was disclosed before.

A trigger of the test's own writes them, inside `ApplyGrants`, while it holds the locks of all agencies that the
set touches: what the audit has then was committed before E, what comes later after it. So the order of commits is
known without any clock.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from barrier.opened import Opened, Served
from barrier.sql import Database

INSTALL = """
DROP TABLE IF EXISTS barrier_mark;
CREATE TABLE barrier_mark (
  pk bigserial PRIMARY KEY, child_id uuid, version bigint NOT NULL,
  grants jsonb NOT NULL, withheld uuid[] NOT NULL, lines jsonb NOT NULL, tips jsonb NOT NULL, outbox bigint NOT NULL
);
CREATE OR REPLACE FUNCTION barrier_note(p_child uuid, p_version bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public AS $$
BEGIN
  INSERT INTO barrier_mark (child_id, version, grants, withheld, lines, tips, outbox) VALUES (
    p_child, p_version,
    coalesce((SELECT jsonb_agg(to_jsonb(g)) FROM grants g WHERE g.child_id = p_child), '[]'),
    coalesce((SELECT array_agg(w.record_id) FROM withheld w WHERE w.child_id = p_child), '{}'),
    coalesce((SELECT jsonb_agg(jsonb_build_object('line_id', l.line_id, 'recipient', l.recipient))
                FROM line l WHERE p_child IS NULL), '[]'),
    coalesce((SELECT jsonb_object_agg(w.writer, t.n) FROM audit_writer w CROSS JOIN LATERAL
                (SELECT coalesce(max(a.n), 0) AS n FROM audit a WHERE a.writer = w.writer) t), '{}'),
    coalesce((SELECT max(o.id) FROM partner_outbox o), 0));
END $$;
CREATE OR REPLACE FUNCTION barrier_child() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM barrier_note(NEW.child_id, NEW.version); RETURN NULL; END $$;
CREATE OR REPLACE FUNCTION barrier_region() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM barrier_note(NULL, NEW.region_version); RETURN NULL; END $$;
CREATE OR REPLACE TRIGGER barrier_mark AFTER INSERT OR UPDATE ON grant_set
  FOR EACH ROW EXECUTE FUNCTION barrier_child();
CREATE OR REPLACE TRIGGER barrier_mark AFTER UPDATE OF region_version ON exchange_state
  FOR EACH ROW EXECUTE FUNCTION barrier_region();
SELECT barrier_note(child_id, version) FROM grant_set;
SELECT barrier_note(NULL, region_version) FROM exchange_state;
"""

_MARKS = "SELECT * FROM barrier_mark ORDER BY pk"
_SERVED = "SELECT type, id, version_id, view, child_id, record_id, categories, only_for FROM resource_version"
_AUDIT = "SELECT writer, n, agency, interaction, disclosed FROM audit WHERE disclosed <> '[]' ORDER BY at"
_EVENTS = """SELECT o.id, o.client_id, d.type, d.id AS resource FROM partner_outbox o
  JOIN dataref d ON d.token = o.token WHERE o.event_type IN ('available', 'changed')"""


@dataclass(frozen=True, slots=True)
class Mark:
    """E of one set: a child's, or the region's (child "")."""

    child: str
    version: int
    rows: list[dict[str, Any]]
    withheld: frozenset[str]
    lines: list[dict[str, str]]
    tips: dict[str, int]
    outbox: int

    def concerns(self, agency: str) -> bool:
        """Whether its set names the agency."""
        return any(row["recipient"] == agency for row in (*self.rows, *self.lines))


@dataclass(frozen=True, slots=True)
class Disclosed:
    """One entry of one audit row: what an agency was shown of a child, by which version of its set."""

    writer: str
    n: int
    agency: str
    interaction: str
    child: str
    version: int
    resources: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A numbered event that something is there: `id` is its place in the outbox."""

    id: int
    agency: str
    type: str
    resource: str


@dataclass(slots=True)
class Ledger:
    """What the database wrote down during a run."""

    marks: list[Mark]
    served: dict[tuple[str, str, str], Served]
    disclosed: list[Disclosed]
    told: list[Told]

    @classmethod
    def read(cls, database: Database) -> "Ledger":
        """All since the marks were installed, at one moment: the region may still be at work."""
        noted, versions, audited, events = database.snapshot(_MARKS, _SERVED, _AUDIT, _EVENTS)
        marks = [_mark(row) for row in noted]
        served = {(one.type, one.id, one.version): one for one in map(_served, versions)}
        first = marks[0]
        disclosed = [entry for row in audited for entry in _disclosed(row)]
        disclosed = [entry for entry in disclosed if entry.n > first.tips.get(entry.writer, 0)]
        told = [Told(row["id"], row["client_id"], row["type"], str(row["resource"])) for row in events]
        return cls(marks, served, disclosed, [one for one in told if one.id > first.outbox])

    def relevant(self) -> "dict[tuple[str, str], list[Mark]]":
        """(child or "", agency) → the marks whose transaction held the agency's lock, in order."""
        found: dict[tuple[str, str], list[Mark]] = defaultdict(list)
        last: dict[str, Mark] = {}
        for mark in self.marks:
            before = last.get(mark.child)
            named = {row["recipient"] for one in (mark, before) if one for row in (*one.rows, *one.lines)}
            for agency in named:
                found[mark.child, agency].append(mark)
            last[mark.child] = mark
        return found


def opened_by(mark: Mark, agency: str, region: Mark | None) -> Opened:
    """What the child's set opened to the agency, as far as the region's lines were in force."""
    lines = None if region is None else frozenset(line["line_id"] for line in region.lines)
    return Opened.of_rows(mark.rows, agency, withheld=mark.withheld, lines=lines)


def _mark(row: Any) -> Mark:
    return Mark(
        child=str(row["child_id"] or ""),
        version=row["version"],
        rows=json.loads(row["grants"]),
        withheld=frozenset(map(str, row["withheld"])),
        lines=json.loads(row["lines"]),
        tips=json.loads(row["tips"]),
        outbox=row["outbox"],
    )


def _served(row: Any) -> Served:
    return Served(
        *(row["type"], str(row["id"]), row["version_id"], row["view"]),
        *(str(row["child_id"] or ""), str(row["record_id"] or "")),
        *(frozenset(row["categories"]), row["only_for"]),
    )


def _disclosed(row: Any) -> list[Disclosed]:
    return [
        Disclosed(
            *(str(row["writer"]), row["n"], row["agency"], row["interaction"]),
            *(entry["child"] or "", entry["grants"] or 0),
            tuple(tuple(named.split("/")) for named in entry["resources"]),  # type: ignore[arg-type]
        )
        for entry in json.loads(row["disclosed"])
    ]
