# ruff: noqa: S608 - fragments of SQL are put together here, values never
"""`disclose()`: the PL/pgSQL function through which everything leaves.

VOLATILE, at READ COMMITTED: the agency's lock is a statement of its own, and
each later statement takes a new snapshot, so that whoever waited for a
narrowing reads what it left. One SQL statement that locks and reads would show
the old grants; `tests/exchange/outbound/test_barrier.py` shows both.

An ask is a JSON object: client, kind (read, vread, query, none), interaction,
shape, asked (hex), user, trace; type, id, version of a read; sql and args of a
query; outcome of `none`.
"""

from ecm.exchange.predicate import consent_predicate, live_grant

RECIPIENT, PURPOSE, AT, ARGS = "$1", "$2", "$3", "$4"
"""Parameters of a query's statement: EXECUTE … USING agency, purpose, instant, arguments (text[])."""

_VARIABLES = {"recipient": "p_agency", "purpose": "v_client.purpose", "at": "v_at"}


def agency_lock(agency: str) -> str:
    """SQL: the key of an agency's advisory lock; `agency` is an SQL expression."""
    return f"hashtextextended('ecm-agency:' || {agency}, 0)"


def columns(alias: str, *, recipient: str, purpose: str, at: str, body: str = "") -> str:
    """What `disclose()` needs of each row found: the resource, why it is open, and its child's grants version."""
    live = live_grant("g", recipient=recipient, purpose=purpose, at=at)
    return f"""{alias}.type, {alias}.id, {alias}.view, {alias}.version_id, {alias}.last_updated, {alias}.child_id,
      {body or f"{alias}.body"} AS body,
      (SELECT s.version FROM grant_set s WHERE s.child_id = {alias}.child_id) AS grants,
      (SELECT string_agg(DISTINCT g.basis || coalesce(', ' || b.agreement || ': ' || b.legal_basis, ''), '; ')
         FROM grants g LEFT JOIN line b ON b.line_id = g.line_id
        WHERE g.child_id = {alias}.child_id AND g.recipient = {recipient} AND g.view >= {alias}.view
          AND CASE WHEN {alias}.type = 'Patient' THEN g.patient
              ELSE coalesce(g.record_id = {alias}.record_id, false)
                OR coalesce(g.category = ANY({alias}.categories), false) END
          AND {live}) AS basis"""


def _read() -> str:
    return f"""SELECT {columns("r", **_VARIABLES)}, 1::bigint AS total, false AS more
          FROM resource r
         WHERE r.type = v_ask->>'type' AND r.id = (v_ask->>'id')::uuid
           AND {consent_predicate("r", **_VARIABLES)}"""


def _vread() -> str:
    """A past version, to who may see its own categories and the current ones, in the view they now have.

    None that is older than the resource's absence from that view: it was taken out for a reason.
    """
    return f"""SELECT {columns("v", **_VARIABLES)}, 1::bigint AS total, false AS more
          FROM (SELECT p.*, false AS hidden FROM resource_version p
                 WHERE p.type = v_ask->>'type' AND p.id = (v_ask->>'id')::uuid
                   AND p.version_id = v_ask->>'version' AND NOT p.deleted
                   AND NOT EXISTS (SELECT 1 FROM resource_version g
                     WHERE g.type = p.type AND g.id = p.id AND g.view = p.view AND g.deleted AND g.seq > p.seq)) v
          JOIN resource r ON r.type = v.type AND r.id = v.id AND r.view = v.view
           AND r.child_id IS NOT DISTINCT FROM v.child_id AND r.record_id IS NOT DISTINCT FROM v.record_id
         WHERE {consent_predicate("r", **_VARIABLES)}
           AND {consent_predicate("v", **_VARIABLES)}"""


# Over the binary form of each column: no setting of a session changes it. The salt keeps digests from being guessed.
DIGEST_OF_A = """sha256(a.salt || record_send(ROW(a.writer, a.n, a.at, a.client, a.agency, a.purpose, a.interaction,
    a.shape, a.asked, a.disclosed, a.child_ids, a.grants_version, a.outcome, a.asserted_user, a.trace_id)))"""
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

_EACH = """
        total := v_row.total;
        more := v_row.more;
        IF v_row.id IS NOT NULL THEN
          v_audit.outcome := 'disclosed';
          v_audit.disclosed := v_audit.disclosed || jsonb_build_object('type', v_row.type, 'id', v_row.id,
            'child', v_row.child_id, 'view', v_row.view, 'version', v_row.version_id, 'grants', v_row.grants,
            'basis', coalesce(v_row.basis, 'directory'));
          IF v_row.child_id <> ALL(v_audit.child_ids) THEN
            v_audit.child_ids := v_audit.child_ids || v_row.child_id;
          END IF;
          v_audit.grants_version := greatest(v_audit.grants_version, v_row.grants);
          outcome := 'disclosed'; type := v_row.type; id := v_row.id; version_id := v_row.version_id;
          last_updated := v_row.last_updated; body := v_row.body;
          RETURN NEXT;
        END IF;"""


def disclose_function(name: str = "disclose") -> str:
    """The function's text. Rows come in the order of the asks; each ask has one row at least."""
    return f"""
CREATE OR REPLACE FUNCTION {name}(p_agency text, p_writer uuid, p_first bigint, p_asks jsonb)
RETURNS TABLE (ask int, outcome text, total bigint, more boolean, type text, id uuid, version_id text,
               last_updated timestamptz, body bytea)
LANGUAGE plpgsql VOLATILE AS $disclose$
#variable_conflict use_column
DECLARE
  v_at timestamptz;
  v_ask jsonb;
  v_client client%ROWTYPE;
  v_row record;
  v_audit audit%ROWTYPE;
BEGIN
  PERFORM pg_advisory_xact_lock_shared({agency_lock("p_agency")});
  -- Not now(): that is older than the wait for the lock.
  v_at := clock_timestamp();
  v_audit.writer := p_writer;
  v_audit.agency := p_agency;
  v_audit.at := v_at;
  ask := 0;
  FOR v_ask IN SELECT e.value FROM jsonb_array_elements(p_asks) AS e LOOP
    SELECT * INTO v_client FROM client c WHERE c.client_id = v_ask->>'client' AND c.agency = p_agency;
    v_audit.n := p_first + ask;
    v_audit.client := v_ask->>'client';
    v_audit.purpose := coalesce(v_client.purpose, '');
    v_audit.interaction := v_ask->>'interaction';
    v_audit.shape := v_ask->>'shape';
    v_audit.asked := ARRAY(SELECT decode(h.value, 'hex') FROM jsonb_array_elements_text(v_ask->'asked') AS h);
    v_audit.asserted_user := v_ask->>'user';
    v_audit.trace_id := v_ask->>'trace';
    v_audit.disclosed := '[]';
    v_audit.child_ids := '{{}}';
    v_audit.grants_version := 0;
    v_audit.outcome := 'nothing';
    total := 0; more := false; outcome := 'nothing';
    type := NULL; id := NULL; version_id := NULL; last_updated := NULL; body := NULL;
    IF v_client.client_id IS NULL OR v_client.blocked THEN
      v_audit.outcome := 'refused'; outcome := 'blocked';
    ELSIF v_ask->>'kind' = 'read' THEN
      FOR v_row IN {_read()} LOOP{_EACH}
      END LOOP;
    ELSIF v_ask->>'kind' = 'vread' THEN
      FOR v_row IN {_vread()} LOOP{_EACH}
      END LOOP;
    ELSIF v_ask->>'kind' = 'query' THEN
      FOR v_row IN EXECUTE v_ask->>'sql' USING p_agency, v_client.purpose, v_at,
          ARRAY(SELECT t.value FROM jsonb_array_elements_text(v_ask->'args') AS t) LOOP{_EACH}
      END LOOP;
      IF total > 0 AND v_audit.outcome = 'nothing' THEN
        v_audit.outcome := 'counted'; outcome := 'counted';
      END IF;
    ELSE
      v_audit.outcome := v_ask->>'outcome'; outcome := v_audit.outcome;
    END IF;
    PERFORM audit_append(v_audit);
    IF v_audit.outcome <> 'disclosed' THEN
      RETURN NEXT;
    END IF;
    ask := ask + 1;
  END LOOP;
END $disclose$"""


def functions() -> list[str]:
    """All of them, each CREATE OR REPLACE, in the order in which they need each other."""
    return [AUDIT_DIGEST, AUDIT_APPEND, disclose_function()]
