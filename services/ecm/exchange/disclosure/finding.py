# ruff: noqa: S608 - fragments of SQL are put together here, values never
"""The statements of `disclose()`: each finds what its asks are after, tells why it is open, and writes the audit.

A statement answers all asks of a sort that a call brings, in one snapshot. `asked`
has a row per ask: what the audit notes of it, and what it is after.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ecm.exchange.disclosure.predicate import BASIS, consent_predicate, grant_on, live_grant, opened_of, opened_to

DIGESTED = (
    *("writer", "n", "at", "client", "agency", "purpose", "interaction", "shape", "asked"),
    *("disclosed", "child_ids", "grants_version", "outcome", "asserted_user", "trace_id"),
)
_STORED = (
    *("pk", "type", "id", "view", "version_id", "last_updated"),
    *("child_id", "record_id", "categories", "only_for", "hidden"),
)
_NOTED = tuple(name for name in DIGESTED if name not in ("disclosed", "child_ids", "grants_version", "outcome"))
MOST_BYTES = 1_048_576
"""Of the resources on a page that has more than one."""
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

    def opened_of(self, row: str, child: str) -> str:
        """What is open to them of one row alone, and why."""
        return opened_of(row, child, recipient=self.recipient, purpose=self.purpose, at=self.at)

    def basis(self, row: str) -> str:
        """SQL: why `row` is open: basis, agreement and legal basis of each grant that opens it in its view."""
        live = live_grant("g", recipient=self.recipient, purpose=self.purpose, at=self.at)
        return f"""(SELECT string_agg(DISTINCT {BASIS}, '; ')
         FROM grants g LEFT JOIN line b ON b.line_id = g.line_id
        WHERE g.child_id = {row}.child_id AND g.recipient = {self.recipient} AND g.view >= {row}.view
          AND CASE WHEN {grant_on("g", row)} THEN {live} END)"""


def digest(alias: str) -> str:
    """SQL: the digest that a row of `audit` must have.

    Over the binary form of each column: no setting of a session changes it. The salt keeps digests from being guessed.
    """
    return f"sha256({alias}.salt || record_send(ROW({_columns(alias, DIGESTED)})))"


def answer_reads(who: Who, asked: str) -> str:
    """The statement for asks by type and id. Grants are looked for whether or not there is such a resource: what
    isn't there takes as long. Its renditions have record and categories in common."""
    basis = f"""(SELECT string_agg(DISTINCT {BASIS}, '; ') FROM grants g LEFT JOIN line b ON b.line_id = g.line_id
        WHERE g.pk = ANY(o.why) AND g.view >= r.view)"""
    read = _disclosed("r", "s.version", basis, f"jsonb_build_array({_named('r')})")
    return f"""WITH written AS MATERIALIZED (
      SELECT a.ask, a.admitted, {_columns("a", _NOTED)},
             CASE WHEN r.id IS NULL THEN '[]' ELSE jsonb_build_array({read}) END AS disclosed,
             CASE WHEN r.child_id IS NULL THEN '{{}}' ELSE ARRAY[r.child_id] END AS child_ids,
             CASE WHEN r.child_id IS NULL THEN 0 ELSE coalesce(s.version, 0) END AS grants_version,
             coalesce(a.outcome, CASE WHEN r.id IS NULL THEN 'nothing' ELSE 'disclosed' END) AS outcome,
             {_SALT}, {_named("r")} AS name, r.last_updated, r.body
        FROM ({asked}) a
        LEFT JOIN LATERAL (SELECT r.type, r.child_id, r.record_id, r.categories FROM resource r
                            WHERE r.type = a.type AND r.id = a.id LIMIT 1) k ON true
       CROSS JOIN LATERAL ({who.opened_of("k", "coalesce(k.child_id, a.id)")}) o
        LEFT JOIN LATERAL (SELECT s.version FROM grant_set s WHERE s.child_id = coalesce(k.child_id, a.id) LIMIT 1) s
          ON true
        LEFT JOIN resource r ON a.admitted AND a.kind = 'read' AND r.type = a.type AND r.id = a.id
         AND r.child_id IS NOT DISTINCT FROM k.child_id AND r.record_id IS NOT DISTINCT FROM k.record_id
         AND r.categories = k.categories AND {who.may_see("r", "o")}),
    {_NOTE}
    SELECT x.ask, {_OUTCOME}, (x.name IS NOT NULL)::int::bigint, false, x.last_updated,
           CASE WHEN x.name IS NULL THEN '{{}}' ELSE ARRAY[x.name] END,
           CASE WHEN x.name IS NULL THEN '{{}}' ELSE ARRAY[x.body] END
      FROM written x"""


def answer_searches(who: Who, asked: str, candidate: str, condition: str = "") -> str:
    """The statement for asks that find a page. `candidate`: FROM and WHERE of resources `r` for each `a` of `asked`;
    `condition`: what else is wanted of a candidate `c`. The asker has a say in what that costs, so it is looked at
    only where they may see the candidate: else its time would tell of what they mayn't.

    Total, page and "is there more" carry the same predicate. What is ahead of the page's beginning has its place, and
    is on the page as far as it fits: a page ends early rather than be large, but never empty. Bodies behind its end
    aren't touched.
    """
    seen, beside = who.may_see("c", "o"), ""
    if condition:
        # CASE keeps the order; a WHERE is evaluated as the planner likes.
        seen, beside = f"CASE WHEN {seen} THEN {condition} END", "JOIN asked a ON a.ask = c.ask"
    return f"""WITH asked AS MATERIALIZED ({asked}),
    candidate AS MATERIALIZED (
      SELECT a.ask, a.purpose, a.after_key, a.after_id, a."limit", {_columns("r", _STORED)}, r.body {candidate}),
    {_opened(who)},
    hit AS MATERIALIZED (
      SELECT h.*,
             CASE WHEN h.ahead THEN row_number() OVER w <= h."limit"
               AND (row_number() OVER w = 1 OR sum(octet_length(h.body)) OVER w <= {MOST_BYTES}) END AS fits
        FROM (SELECT c.ask, c."limit", {_PATIENT_FIRST} AS k, c.id, {_named("c")} AS name, c.body, {_REASON},
                     c.after_key IS NULL OR ({_PATIENT_FIRST}, c.id) > (c.after_key, c.after_id) AS ahead
                FROM candidate c {beside} LEFT JOIN opened o ON o.child_id = c.child_id AND o.purpose = c.purpose
               WHERE {seen}) h
      WINDOW w AS (PARTITION BY h.ask, h.ahead ORDER BY h.k, h.id ROWS UNBOUNDED PRECEDING)),
    page AS (SELECT h.ask, h.name, {_columns("h", _REASONS)} FROM hit h WHERE h.fits),
    found AS MATERIALIZED (
      SELECT h.ask, count(*) AS total, NULL::timestamptz AS last_updated,
             coalesce(bool_or(NOT h.fits AND h."limit" > 0), false) AS more,
             array_agg(h.name ORDER BY h.ahead, h.k, h.id) FILTER (WHERE h.fits) AS names,
             array_agg(h.body ORDER BY h.ahead, h.k, h.id) FILTER (WHERE h.fits) AS bodies
        FROM hit h GROUP BY h.ask),
    {_tell(who)}"""


def answer_versions(who: Who, asked: str) -> str:
    """The statement for asks by type, id and version: to who may see the version's own categories and the current
    ones, in the view they now have. None that is older than the resource's absence from that view: it was taken out
    for a reason. A read of a version gets its bytes; `again` asks for many, without them.
    """
    columns = _columns("v", [name for name in _STORED if name not in ("pk", "hidden")])
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
      SELECT c.ask, {_named("c")} AS name, {_REASON}, c.last_updated, c.body
        FROM candidate c LEFT JOIN opened o ON o.child_id = c.child_id AND o.purpose = c.purpose
        JOIN resource r ON r.type = c.type AND r.id = c.id AND r.view = c.view
         AND r.child_id IS NOT DISTINCT FROM c.child_id AND r.record_id IS NOT DISTINCT FROM c.record_id
       WHERE {who.may_see("c", "o")} AND {who.may_see("r", "o")}),
    found AS MATERIALIZED (
      SELECT p.ask, count(*) AS total, max(p.last_updated) AS last_updated, false AS more,
             array_agg(p.name) AS names, array_agg(p.body) AS bodies
        FROM page p GROUP BY p.ask),
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


# Of one secret a call, which is kept nowhere: a random number from the system for each row costs as much as its digest.
_SALT = "sha256(a.secret || int8send(a.n)) AS salt"
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
    """The rest of a statement: from `page` (what may leave) and `found` (the same of an ask with anything to find)."""
    basis = Who(who.recipient, "l.purpose", who.at).basis("l")
    return f"""alike AS MATERIALIZED (
      SELECT p.ask, p.child_id, p.purpose, p.grants, p.view, p.patient AS type, p.categories, p.record_id,
             array_agg(p.name) AS resources
        FROM page p GROUP BY p.ask, {_columns("p", _REASONS)}),
    entry AS MATERIALIZED (
      SELECT l.ask, coalesce(max(l.grants), 0) AS grants_version,
             coalesce(array_agg(DISTINCT l.child_id) FILTER (WHERE l.child_id IS NOT NULL), '{{}}') AS child_ids,
             jsonb_agg({_disclosed("l", "l.grants", basis, "l.resources")}) AS disclosed
        FROM alike l GROUP BY l.ask),
    written AS MATERIALIZED (
      SELECT a.ask, a.admitted, {_columns("a", _NOTED)}, f.last_updated, f.names, f.bodies,
             CASE WHEN a.total THEN coalesce(f.total, 0) ELSE 0 END AS total, coalesce(f.more, false) AS more,
             coalesce(e.disclosed, '[]') AS disclosed,
             coalesce(e.child_ids, '{{}}') AS child_ids, coalesce(e.grants_version, 0) AS grants_version,
             coalesce(a.outcome, CASE WHEN e.ask IS NOT NULL THEN 'disclosed'
               WHEN a.total AND f.total > 0 THEN 'counted' ELSE 'nothing' END) AS outcome, {_SALT}
        FROM asked a LEFT JOIN found f USING (ask) LEFT JOIN entry e USING (ask)),
    {_NOTE}
    SELECT x.ask, {_OUTCOME}, x.total, x.more, x.last_updated, coalesce(x.names, '{{}}'), coalesce(x.bodies, '{{}}')
      FROM written x"""
