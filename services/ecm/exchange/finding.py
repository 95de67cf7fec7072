# ruff: noqa: S608 - fragments of SQL are put together here, values never
"""The statements of `disclose()`: each finds what its asks are after, tells why it is open, and writes the audit.

A statement answers all asks of a sort that a call brings, in one snapshot. `asked`
has a row per ask: what the audit notes of it, and what it is after.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ecm.exchange.predicate import consent_predicate, live_grant, opened_to

DIGESTED = (
    *("writer", "n", "at", "client", "agency", "purpose", "interaction", "shape", "asked"),
    *("disclosed", "child_ids", "grants_version", "outcome", "asserted_user", "trace_id"),
)
_STORED = (
    *("type", "id", "view", "version_id", "last_updated"),
    *("child_id", "record_id", "categories", "only_for", "hidden"),
)
_NOTED = tuple(name for name in DIGESTED if name not in ("disclosed", "child_ids", "grants_version", "outcome"))
_PATIENT_FIRST = "CASE WHEN c.type = 'Patient' THEN '' ELSE c.type END COLLATE \"C\""


@dataclass(frozen=True, slots=True)
class Who:
    """SQL expressions of who asks, why and when: variables, parameters or columns, never values."""

    recipient: str
    purpose: str
    at: str

    def may_see(self, alias: str, opened: str = "") -> str:
        """The consent predicate."""
        return consent_predicate(alias, recipient=self.recipient, purpose=self.purpose, at=self.at, opened=opened)

    def opened_to(self, child: str) -> str:
        """What is open to them of a child."""
        return opened_to(child, recipient=self.recipient, purpose=self.purpose, at=self.at)

    def basis(self, row: str) -> str:
        """SQL: why `row` is open: basis, agreement and legal basis of each grant that opens it in its view."""
        live = live_grant("g", recipient=self.recipient, purpose=self.purpose, at=self.at)
        words = "g.basis || coalesce(', ' || b.agreement || ': ' || b.legal_basis, '')"
        return f"""(SELECT string_agg(DISTINCT {words}, '; ')
         FROM grants g LEFT JOIN line b ON b.line_id = g.line_id
        WHERE g.child_id = {row}.child_id AND g.recipient = {self.recipient} AND g.view >= {row}.view
          AND CASE WHEN {row}.type = 'Patient' THEN g.patient
              ELSE coalesce(g.record_id = {row}.record_id, false)
                OR coalesce(g.category = ANY({row}.categories), false) END
          AND {live})"""


def digest(alias: str) -> str:
    """SQL: the digest that a row of `audit` must have.

    Over the binary form of each column: no setting of a session changes it. The salt keeps digests from being guessed.
    """
    return f"sha256({alias}.salt || record_send(ROW({_columns(alias, DIGESTED)})))"


def answer_reads(who: Who, asked: str) -> str:
    """The statement for asks by type and id. Grants are looked for whether or not there is such a resource: what
    isn't there takes as long."""
    read = _disclosed("r", "s.version", who.basis("r"), f"jsonb_build_array({_named('r')})")
    return f"""WITH written AS MATERIALIZED (
      SELECT a.ask, a.admitted, {_columns("a", _NOTED)},
             CASE WHEN r.id IS NULL THEN '[]' ELSE jsonb_build_array({read}) END AS disclosed,
             CASE WHEN r.child_id IS NULL THEN '{{}}' ELSE ARRAY[r.child_id] END AS child_ids,
             CASE WHEN r.child_id IS NULL THEN 0 ELSE coalesce(s.version, 0) END AS grants_version,
             coalesce(a.outcome, CASE WHEN r.id IS NULL THEN 'nothing' ELSE 'disclosed' END) AS outcome,
             {_SALT}, r.type, r.id, r.version_id, r.last_updated, r.body
        FROM ({asked}) a
        LEFT JOIN LATERAL (SELECT r.child_id FROM resource r WHERE r.type = a.type AND r.id = a.id LIMIT 1) k ON true
       CROSS JOIN LATERAL ({who.opened_to("coalesce(k.child_id, a.id)")}) o
        LEFT JOIN grant_set s ON s.child_id = coalesce(k.child_id, a.id)
        LEFT JOIN resource r ON a.admitted AND a.kind = 'read' AND r.type = a.type AND r.id = a.id
         AND r.child_id IS NOT DISTINCT FROM k.child_id AND {who.may_see("r", "o")}),
    {_NOTE}
    SELECT x.ask, {_OUTCOME}, (x.id IS NOT NULL)::int::bigint, false,
           x.type, x.id, x.version_id, x.last_updated, x.body
      FROM written x"""


def answer_searches(who: Who, asked: str, candidate: str) -> str:
    """The statement for asks that find a page. `candidate`: FROM and WHERE of resources `r` for each `a` of `asked`.

    Total, page and "is there more" carry the same predicate.
    """
    return f"""WITH asked AS MATERIALIZED ({asked}),
    candidate AS MATERIALIZED (SELECT a.ask, a.purpose, r.pk, {_columns("r", _STORED)} {candidate}),
    {_opened(who)},
    hit AS MATERIALIZED (
      SELECT c.ask, c.pk, c.id, {_PATIENT_FIRST} AS k, {_REASON}
        FROM candidate c LEFT JOIN opened o ON o.child_id = c.child_id AND o.purpose = c.purpose
       WHERE {who.may_see("c", "o")}),
    ahead AS MATERIALIZED (
      SELECT h.*, row_number() OVER (PARTITION BY h.ask ORDER BY h.k, h.id) AS place
        FROM hit h JOIN asked a USING (ask)
       WHERE a.after_key IS NULL OR (h.k, h.id) > (a.after_key, a.after_id)),
    page AS MATERIALIZED (
      SELECT h.ask, h.place, {_columns("h", _REASONS)}, r.type, r.id, r.version_id, r.last_updated, r.body
        FROM ahead h JOIN asked a USING (ask) JOIN resource r USING (pk) WHERE h.place <= a."limit"),
    beside AS MATERIALIZED (
      SELECT a.ask, (SELECT count(*) FROM hit h WHERE a.total AND h.ask = a.ask) AS total,
             a."limit" > 0 AND EXISTS (SELECT 1 FROM ahead h WHERE h.ask = a.ask AND h.place > a."limit") AS more
        FROM asked a),
    {_tell(who)}"""


def answer_versions(who: Who, asked: str) -> str:
    """The statement for asks by type, id and version: to who may see the version's own categories and the current
    ones, in the view they now have. None that is older than the resource's absence from that view: it was taken out
    for a reason. A read of a version gets its bytes; `again` asks for many, without them.
    """
    columns = _columns("v", [name for name in _STORED if name != "hidden"])
    return f"""WITH asked AS MATERIALIZED ({asked}),
    candidate AS MATERIALIZED (
      SELECT a.ask, a.purpose, {columns}, false AS hidden, CASE WHEN a.kind = 'version' THEN v.body END AS body
        FROM asked a
       CROSS JOIN LATERAL unnest(string_to_array(a.args[1], ' '), string_to_array(a.args[2], ' ')::uuid[],
          CASE WHEN a.kind = 'version' THEN ARRAY[a.args[3]] ELSE string_to_array(a.args[3], ' ') END
          ) AS w (type, id, version_id)
        JOIN resource_version v ON v.type = w.type AND v.id = w.id AND v.version_id = w.version_id
       WHERE a.admitted AND NOT v.deleted AND NOT EXISTS (SELECT 1 FROM resource_version g
         WHERE g.type = v.type AND g.id = v.id AND g.view = v.view AND g.deleted AND g.seq > v.seq)),
    {_opened(who)},
    page AS MATERIALIZED (
      SELECT c.ask, 1 AS place, {_REASON}, c.type, c.id, c.version_id, c.last_updated, c.body
        FROM candidate c LEFT JOIN opened o ON o.child_id = c.child_id AND o.purpose = c.purpose
        JOIN resource r ON r.type = c.type AND r.id = c.id AND r.view = c.view
         AND r.child_id IS NOT DISTINCT FROM c.child_id AND r.record_id IS NOT DISTINCT FROM c.record_id
       WHERE {who.may_see("c", "o")} AND {who.may_see("r", "o")}),
    beside AS MATERIALIZED (
      SELECT a.ask, (SELECT count(*) FROM page p WHERE p.ask = a.ask) AS total, false AS more FROM asked a),
    {_tell(who)}"""


def _columns(alias: str, names: Iterable[str]) -> str:
    return ", ".join(f"{alias}.{name}" for name in names)


def _disclosed(row: str, grants: str, basis: str, resources: str) -> str:
    """SQL: an entry of `audit.disclosed`: resources (type/id/version) of a child that are open in one view for one
    reason. Said once, since the row is digested and kept whole."""
    return f"""jsonb_build_object('child', {row}.child_id, 'view', {row}.view, 'grants', {grants},
        'basis', coalesce({basis}, 'directory'), 'resources', {resources})"""


def _named(row: str) -> str:
    return f"{row}.type || '/' || {row}.id || '/' || {row}.version_id"


_SALT = "uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) AS salt"
_NOTE = f"""noted AS (
      INSERT INTO audit ({", ".join(DIGESTED)}, salt, digest)
      SELECT {_columns("x", DIGESTED)}, x.salt, {digest("x")} FROM written x)"""
_OUTCOME = "CASE WHEN x.admitted THEN x.outcome ELSE 'blocked' END"
# What rows must have in common to be open for the same reason.
_REASONS = ("child_id", "purpose", "grants", "view", "patient", "categories", "record_id")
_REASON = """c.child_id, c.purpose, o.grants, c.view, CASE WHEN c.type = 'Patient' THEN c.type ELSE '' END AS patient,
             c.categories, CASE WHEN c.record_id = ANY(o.records_1) THEN c.record_id END AS record_id"""


def _opened(who: Who) -> str:
    """CTE: what is open of each child among the candidates, gathered once, and its grants version."""
    gathered = Who(who.recipient, "k.purpose", who.at).opened_to("k.child_id")
    return f"""opened AS MATERIALIZED (
      SELECT k.child_id, k.purpose, o.*, (SELECT s.version FROM grant_set s WHERE s.child_id = k.child_id) AS grants
        FROM (SELECT DISTINCT c.child_id, c.purpose FROM candidate c WHERE c.child_id IS NOT NULL) k
       CROSS JOIN LATERAL ({gathered}) o)"""


def _tell(who: Who) -> str:
    """The rest of a statement: from `page` (what may leave) and `beside` (total and more of each ask)."""
    basis = Who(who.recipient, "l.purpose", who.at).basis("l")
    return f"""alike AS MATERIALIZED (
      SELECT p.ask, p.child_id, p.purpose, p.grants, p.view, p.patient AS type, p.categories, p.record_id,
             jsonb_agg({_named("p")} ORDER BY p.place) AS resources
        FROM page p GROUP BY p.ask, {_columns("p", _REASONS)}),
    entry AS MATERIALIZED (
      SELECT l.ask, coalesce(max(l.grants), 0) AS grants_version,
             coalesce(array_agg(DISTINCT l.child_id) FILTER (WHERE l.child_id IS NOT NULL), '{{}}') AS child_ids,
             jsonb_agg({_disclosed("l", "l.grants", basis, "l.resources")}) AS disclosed
        FROM alike l GROUP BY l.ask),
    written AS MATERIALIZED (
      SELECT a.ask, a.admitted, {_columns("a", _NOTED)}, b.total, b.more, coalesce(e.disclosed, '[]') AS disclosed,
             coalesce(e.child_ids, '{{}}') AS child_ids, coalesce(e.grants_version, 0) AS grants_version,
             coalesce(a.outcome, CASE WHEN e.ask IS NOT NULL THEN 'disclosed' WHEN b.total > 0 THEN 'counted'
               ELSE 'nothing' END) AS outcome, {_SALT}
        FROM asked a JOIN beside b USING (ask) LEFT JOIN entry e USING (ask)),
    {_NOTE}
    SELECT x.ask, {_OUTCOME}, x.total, x.more, p.type, p.id, p.version_id, p.last_updated, p.body
      FROM written x LEFT JOIN page p USING (ask) ORDER BY x.ask, p.place"""
