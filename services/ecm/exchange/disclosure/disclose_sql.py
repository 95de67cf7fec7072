# ruff: noqa: S608 - fragments of SQL are put together here, values never
"""`disclose()`: the PL/pgSQL function through which everything leaves.

VOLATILE, at READ COMMITTED: the agency's lock is a statement of its own, and
each later statement takes a new snapshot, so that whoever waited for a
narrowing reads what it left. One SQL statement that locks and reads would show
the old grants; `tests/exchange/outbound/test_barrier.py` shows both.

A call brings asks of one kind (`ecm.exchange.disclosure.asks.together`). They are answered by one
static statement (`ecm.exchange.disclosure.finding`), which is planned once a connection; each
`query`, whose shape varies, by one of its own.

An ask is a JSON object: client, kind, interaction, shape, asked (\\x…), user, trace;
type and id of a read; args of the other kinds, and after_key, after_id, limit and
total of those that give a page; of a query its driver and condition; outcome of `none`.
"""

from ecm.exchange.disclosure.finding import Who, answer_reads, answer_searches, answer_versions, digest
from ecm.exchange.disclosure.patterns import patterns

ARGS = "a.args"
"""In a query's driver, which is about resources `r`, and its condition, about candidates `c`: arguments (text[])."""

RECIPIENT = "$4"
"""In a query's driver: who asks."""

_ALL = Who(recipient="p_agency", purpose="a.purpose", at="v_at")

DIGEST_OF_A = digest("a")
"""SQL: the digest that row `a` of `audit` must have."""

AUDIT_DIGEST = f"""
CREATE OR REPLACE FUNCTION audit_digest(a audit) RETURNS bytea LANGUAGE sql STABLE AS $$
  SELECT {DIGEST_OF_A}
$$"""

AUDIT_APPEND = """
CREATE OR REPLACE FUNCTION audit_append(a audit) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  a.salt := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
  a.digest := audit_digest(a);
  INSERT INTO audit VALUES (a.*);
END $$"""

# A client that isn't admitted is answered nothing, and noted as refused.
_ASKED = """SELECT (o.ordinality - 1)::int AS ask, {writer} AS writer, {first} + o.ordinality - 1 AS n, {at} AS at,
      {secret} AS secret, o.client, {agency} AS agency, coalesce(c.purpose, '') AS purpose, o.interaction, o.shape,
      o.asked, o."user" AS asserted_user, o.trace AS trace_id, coalesce(NOT c.blocked, false) AS admitted,
      CASE WHEN coalesce(c.blocked, true) THEN 'refused' ELSE o.outcome END AS outcome,
      o.kind, o.type, o.id, o.args, o.after_key, o.after_id, o."limit", o.total
    FROM ROWS FROM (jsonb_to_recordset({asks}) AS (client text, kind text, interaction text, shape text, asked bytea[],
      "user" text, trace text, type text, id uuid, args text[], after_key text, after_id uuid, "limit" bigint,
      total boolean, outcome text)) WITH ORDINALITY AS o
    LEFT JOIN client c ON c.client_id = o.client AND c.agency = {agency}
   WHERE {which}"""
_VARIABLES = {
    "writer": "p_writer",
    "first": "p_first",
    "at": "v_at",
    "secret": "v_secret",
    "agency": "p_agency",
    "asks": "p_asks",
}
_PARAMETERS = {"writer": "$1", "first": "$2", "at": "$3", "agency": RECIPIENT, "asks": "$5", "secret": "$7"}


def agency_lock(agency: str) -> str:
    """SQL: the key of an agency's advisory lock; `agency` is an SQL expression."""
    return f"hashtextextended('ecm-agency:' || {agency}, 0)"


def _steps() -> str:
    """One statement per kind. `none` goes with reads, and `again` with versions."""
    finding = [
        (("read", "none"), answer_reads(_ALL, _asked("read", "none"))),
        *(((kind,), answer_searches(_ALL, _asked(kind), what)) for kind, what in patterns("p_agency", "v_at").items()),
        (("version", "again"), answer_versions(_ALL, _asked("version", "again"))),
    ]
    return "".join(f"\n    WHEN {_any(kinds)} THEN RETURN QUERY {statement};" for kinds, statement in finding)


def _asked(*kinds: str) -> str:
    return _ASKED.format(which=f"o.kind IN ({_any(kinds)})", **_VARIABLES)


def _any(kinds: tuple[str, ...]) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds)


def _executed() -> str:
    """One query of those that `p_asks` holds: driver and condition stand in the statement's text, values never."""
    who = Who(recipient=RECIPIENT, purpose="a.purpose", at="$3")
    asked = _ASKED.format(which="o.ordinality = $6", **_PARAMETERS)
    text = answer_searches(who, asked, "FROM asked a CROSS JOIN resource r WHERE a.admitted AND (\0)", "(\0)")
    before, between, after = text.split("\0")
    return f"""FOR v_number, v_driver, v_condition IN
        SELECT q.ordinality, q.value->>'driver', q.value->>'condition'
          FROM jsonb_array_elements(p_asks) WITH ORDINALITY AS q LOOP
        RETURN QUERY EXECUTE $sql${before}$sql$ || v_driver || $sql${between}$sql$ || v_condition || $sql${after}$sql$
          USING p_writer, p_first, v_at, p_agency, p_asks, v_number, v_secret;
      END LOOP;"""


def disclose_function(name: str = "disclose") -> str:
    """The function's text. A row for each ask: names (type/id/version) and bodies of what may leave, in order.

    `last_updated` is told of what was asked for by its id.
    """
    return f"""
CREATE OR REPLACE FUNCTION {name}(p_agency text, p_writer uuid, p_first bigint, p_asks jsonb)
RETURNS TABLE (ask int, outcome text, total bigint, more boolean, last_updated timestamptz,
               names text[], bodies bytea[])
LANGUAGE plpgsql VOLATILE AS $disclose$
#variable_conflict use_column
DECLARE
  v_at timestamptz;
  v_secret bytea;
  v_number bigint;
  v_driver text;
  v_condition text;
BEGIN
  PERFORM pg_advisory_xact_lock_shared({agency_lock("p_agency")});
  -- Not now(): that is older than the wait for the lock.
  v_at := clock_timestamp();
  v_secret := uuid_send(gen_random_uuid());
  CASE p_asks->0->>'kind'{_steps()}
    WHEN 'query' THEN
      {_executed()}
  END CASE;
END $disclose$"""


def functions() -> list[str]:
    """All of them, in the order in which they need each other. What `disclose()` returns can't be replaced, so it is
    made anew: a migration that executes these grants the right to call it again."""
    drop = "DROP FUNCTION IF EXISTS disclose(text, uuid, bigint, jsonb)"
    return [AUDIT_DIGEST, AUDIT_APPEND, drop, disclose_function()]
