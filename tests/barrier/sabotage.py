"""Faults in the database: `disclose()` written anew in the test's own database, and put right afterwards."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from barrier.sql import Database
from ecm.exchange.disclose_sql import agency_lock, disclose_function


def lock_and_read_in_one() -> str:
    """The lock stands in the statement that reads: after the wait it reads the old grants."""
    text = disclose_function()
    text, found = re.subn(r"PERFORM pg_advisory_xact_lock_shared\([^;]*;", "", text, count=1)
    locked = f"(SELECT pg_advisory_xact_lock_shared({agency_lock('p_agency')})) IS NOT NULL AND r.type = a.type"
    assert found and "r.type = a.type" in text
    return text.replace("r.type = a.type", locked, 1)


def the_widest_view() -> str:
    """Who was put on the view without what is protected is still served the full one."""
    text, found = re.subn(r"THEN 2\b", "THEN 3", disclose_function())
    text, patients = re.subn(r"THEN (\w+)\.patient\b", r"THEN CASE \1.patient WHEN 2 THEN 3 ELSE \1.patient END", text)
    assert found and patients
    return text


@contextmanager
def sabotaged(database: Database, function: str) -> Iterator[None]:
    """The function is so within the block."""
    database.execute(function)
    try:
        yield
    finally:
        database.execute(disclose_function())
