# ruff: noqa: S608 - fragments of SQL are put together here, values never
"""The one generated consent predicate: every statement that finds resources carries it.

What a recipient may see of a child is one row (`opened_to`): the live grants,
gathered. The predicate holds a resource against that row, never joins grants: a
resource is found once, in the widest view that grants and restrictions leave, or
not at all. Where many resources of a child are looked at, the row is gathered
once for all of them (`opened`); it is the same text that decides.
"""

VIEWS = (3, 2, 1)
"""Widest first."""


def consent_predicate(alias: str, *, recipient: str, purpose: str, at: str, opened: str = "") -> str:
    """SQL that is true for a row of `resource` (or of the same columns) that the recipient may see at `at`.

    `recipient`, `purpose` and `at` are SQL expressions (a parameter, a variable),
    never values. `opened` names a row of `opened_to` for the row's child that stands
    beside; without it each row has it gathered. A row without categories that isn't
    a Patient is opened by a grant on its record alone; nothing opens a row by default
    but the directory's. A document Bundle holds the child's Patient, so that it needs
    a grant on that too: where an adoption identity is protected the Patient is shut
    to who isn't named.
    """
    view = _view(alias, opened)
    if not opened:
        gathered = opened_to(f"{alias}.child_id", recipient=recipient, purpose=purpose, at=at)
        view = f"(SELECT {_view(alias, 'o')} FROM ({gathered}) o)"
    return f"""(
    NOT {alias}.hidden
    AND ({alias}.only_for IS NULL OR {alias}.only_for = {recipient})
    AND {alias}.view = CASE
      -- The directory is stored in the widest view, and everybody's; no document belongs to it.
      WHEN {alias}.child_id IS NULL THEN CASE WHEN {alias}.type <> 'Bundle' THEN 3 END
      ELSE {view} END)"""


def _view(alias: str, opened: str) -> str:
    """The widest view in which a grant on the record, or grants on each of its categories, open a row; none of a
    record that is withheld."""
    steps = "\n      ".join(
        f"WHEN {alias}.record_id = ANY({opened}.records_{view})"
        f" OR {alias}.categories <> '{{}}' AND {alias}.categories <@ {opened}.categories_{view} THEN {view}"
        for view in VIEWS
    )
    return f"""CASE WHEN {alias}.record_id = ANY({opened}.withheld) THEN NULL
      WHEN {alias}.type = 'Patient' THEN {opened}.patient
      WHEN {alias}.type = 'Bundle' AND {opened}.patient IS NULL THEN NULL
      {steps} END"""


def opened_to(child: str, *, recipient: str, purpose: str, at: str) -> str:
    """SQL of one row: in which view the child's Patient is open, which records and categories in which view, and which
    records are withheld from everybody."""
    return f"""SELECT {_gathered(child)}
     FROM grants g WHERE g.child_id = {child} AND g.recipient = {recipient}
      AND {live_grant("g", recipient=recipient, purpose=purpose, at=at)}"""


def opened_of(row: str, child: str, *, recipient: str, purpose: str, at: str) -> str:
    """The row of `opened_to` as far as it bears on `row` alone (type, record_id, categories), and `why`: the grants
    that are about it. One look at the grants, where one resource is asked for.
    """
    about = grant_on("g", row)
    return f"""SELECT {_gathered(child)},
      array_agg(g.pk) FILTER (WHERE {about}) AS why
     FROM grants g WHERE g.child_id = {child} AND g.recipient = {recipient}
      AND CASE WHEN {about} OR g.patient AND {row}.type = 'Bundle'
            THEN {live_grant("g", recipient=recipient, purpose=purpose, at=at)} END"""


def _gathered(child: str) -> str:
    lists = ",\n      ".join(
        f"array_agg(g.{column}) FILTER (WHERE g.{column} IS NOT NULL AND g.view >= {view}) AS {name}_{view}"
        for column, name in (("record_id", "records"), ("category", "categories"))
        for view in VIEWS
    )
    withheld = f"(SELECT array_agg(w.record_id) FROM withheld w WHERE w.child_id = {child}) AS withheld"
    return f"max(g.view) FILTER (WHERE g.patient) AS patient,\n      {lists},\n      {withheld}"


BASIS = "g.basis || coalesce(', ' || b.agreement || ': ' || b.legal_basis, '')"
"""SQL: basis, agreement and legal basis of grant `g` on line `b`."""


def grant_on(grant: str, row: str) -> str:
    """SQL that is true for a grant that is about `row`; in which view, and whether it holds, is asked beside."""
    return f"""CASE WHEN {row}.type = 'Patient' THEN {grant}.patient
              ELSE coalesce({grant}.record_id = {row}.record_id, false)
                OR coalesce({grant}.category = ANY({row}.categories), false) END"""


def live_grant(grant: str, *, recipient: str, purpose: str, at: str) -> str:
    """SQL that is true for a grant that holds at `at`: for this purpose, and its agreement line is in force.

    The lines in force are looked up once a statement (a hashed subplan), not once a grant.
    """
    return f"""({grant}.valid_from <= {at} AND {at} < {grant}.valid_until
      AND ({grant}.purposes = '{{}}' OR {purpose} = ANY({grant}.purposes))
      AND ({grant}.override_id IS NOT NULL OR ({grant}.line_id, {purpose}) IN (
        SELECT l.line_id, p.purpose FROM line l CROSS JOIN unnest(l.purposes) AS p (purpose)
         WHERE l.recipient = {recipient} AND l.valid_from <= {at} AND {at} < l.valid_until)))"""
