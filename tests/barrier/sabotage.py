"""Faults in the database: `disclose()` written anew in the test's own database, and put right afterwards."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from barrier.marks import INSTALL
from barrier.sql import Database
from ecm.exchange.disclosure.disclose_sql import agency_lock, disclose_function


def lock_and_read_in_one() -> str:
    """The lock stands in the statement that reads: after the wait it reads the old grants."""
    text = disclose_function()
    text, found = re.subn(r"PERFORM pg_advisory_xact_lock_shared\([^;]*;", "", text, count=1)
    locked = f"(SELECT pg_advisory_xact_lock_shared({agency_lock('p_agency')})) IS NOT NULL AND r.type = a.type"
    assert found and "r.type = a.type" in text
    return text.replace("r.type = a.type", locked, 1)


OLD_VIEW = """
CREATE OR REPLACE FUNCTION barrier_old_view() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.view := CASE NEW.view WHEN 2 THEN 3 ELSE NEW.view END; RETURN NEW; END $$;
CREATE OR REPLACE TRIGGER barrier_old_view BEFORE INSERT ON grants FOR EACH ROW EXECUTE FUNCTION barrier_old_view();
"""
"""Who is put on the view without what is protected keeps the full one."""
OLD_VIEW_OVER = "DROP TRIGGER barrier_old_view ON grants"

LONGER = INSTALL.replace("RETURN NULL", "PERFORM pg_sleep(0.05); RETURN NULL")
"""Marks that keep the locks a little longer, so that there is always somebody who waits for them."""


@contextmanager
def sabotaged(database: Database, fault: str, cure: str) -> Iterator[None]:
    """The database is so within the block."""
    database.execute(fault)
    try:
        yield
    finally:
        database.execute(cure)
