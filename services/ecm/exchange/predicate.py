# ruff: noqa: S608 - fragments of SQL are put together here, values never
"""The one generated consent predicate: every statement that finds resources carries it.

It is EXISTS and scalar subqueries, never a join: a resource is found once, in
the widest view that grants and restrictions leave, or not at all.
"""


def consent_predicate(alias: str, *, recipient: str, purpose: str, at: str) -> str:
    """SQL that is true for a row of `resource` (or of the same columns) that the recipient may see at `at`.

    `recipient`, `purpose` and `at` are SQL expressions (a parameter, a variable),
    never values. A row without categories that isn't a Patient is opened by a
    grant on its record alone; nothing opens a row by default but the directory's.
    A document Bundle holds the child's Patient, so that it needs a grant on that too:
    where an adoption identity is protected the Patient is shut to who isn't named.
    """
    live = live_grant("g", recipient=recipient, purpose=purpose, at=at)
    of_child = f"FROM grants g WHERE g.child_id = {alias}.child_id AND g.recipient = {recipient}"
    return f"""(
    NOT {alias}.hidden
    AND ({alias}.only_for IS NULL OR {alias}.only_for = {recipient})
    AND NOT EXISTS (SELECT 1 FROM withheld w WHERE w.child_id = {alias}.child_id AND w.record_id = {alias}.record_id)
    AND ({alias}.type <> 'Bundle' OR EXISTS (SELECT 1 {of_child} AND g.patient AND {live}))
    AND {alias}.view = CASE
      -- The directory is stored in the widest view, and everybody's.
      WHEN {alias}.child_id IS NULL THEN 3
      WHEN {alias}.type = 'Patient' THEN (SELECT max(g.view) {of_child} AND g.patient AND {live})
      ELSE greatest(
        (SELECT max(g.view) {of_child} AND g.record_id = {alias}.record_id AND {live}),
        (SELECT min(coalesce((SELECT max(g.view) {of_child} AND g.category = c AND {live}), 0))
           FROM unnest({alias}.categories) AS c))
      END)"""


def live_grant(grant: str, *, recipient: str, purpose: str, at: str) -> str:
    """SQL that is true for a grant that holds at `at`: for this purpose, and its agreement line is in force."""
    return f"""({grant}.valid_from <= {at} AND {at} < {grant}.valid_until
      AND ({grant}.purposes = '{{}}' OR {purpose} = ANY({grant}.purposes))
      AND ({grant}.override_id IS NOT NULL OR EXISTS (
        SELECT 1 FROM line l WHERE l.line_id = {grant}.line_id AND l.recipient = {recipient}
          AND l.valid_from <= {at} AND {at} < l.valid_until AND {purpose} = ANY(l.purposes))))"""
