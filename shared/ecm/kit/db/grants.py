"""Rights of the app role, for migrations."""

import re
from typing import Any, TypeAlias

Op: TypeAlias = Any
"""`alembic.op`: a module that stands for the `Operations` of the migration under way."""

_NAME = re.compile(r"^[a-z_][a-z0-9_]*$")


def app_role(op: Op) -> str:
    """The role that the service works as, as given to `migrate`."""
    context = op.get_context()
    role = context.opts["app_role"] if context.opts else ""
    if not _NAME.match(str(role)):
        raise ValueError(f"{role!r} isn't a role name.")
    return str(role)


def grant(op: Op, table: str, rights: str) -> None:
    """Grants the app role `rights` on a table, e.g. "SELECT, INSERT"."""
    if not _NAME.match(table):
        raise ValueError(f"{table!r} isn't a table name.")
    op.execute(f'GRANT {rights} ON {table} TO "{app_role(op)}"')


def grant_execute(op: Op, signature: str) -> None:
    """Lets the app role, and nobody else, call a function, e.g. "disclose(text, jsonb)"."""
    op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    op.execute(f'GRANT EXECUTE ON FUNCTION {signature} TO "{app_role(op)}"')
