"""What a transaction knows before it has done anything."""

from datetime import UTC, date, datetime
from typing import Any

from ecm.kit.db.scope import UNLIMITED
from ecm.kit.db.transaction import Transaction
from ecm.kit.ids import RandomIds
from unit.kit.builders import example_region, person


def test_today_is_the_zones() -> None:
    # 23:30 UTC in summer is tomorrow in London.
    late, nothing = datetime(2026, 7, 1, 23, 30, tzinfo=UTC), Any
    tx = Transaction(nothing, person(), late, region=example_region(), ids=RandomIds(), scope=UNLIMITED)  # type: ignore[arg-type]
    assert tx.today == date(2026, 7, 2)
