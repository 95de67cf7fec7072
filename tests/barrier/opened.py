"""What one set of grants opens to an agency: the checker's own reading, which shares nothing with the predicate.

Times of validity are left out, so that it may allow more than the exchange does, never less.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from ecm.api.common.v1.values_pb2 import Category
from ecm.api.exchange.v1.exchange_service_pb2 import ApplyGrantsRequest

EVERY_LINE = None


@dataclass(frozen=True, slots=True)
class Served:
    """One served version of a resource: (type, id, version) name it, the rest says whose it is. View: 1, 2, 3."""

    type: str
    id: str
    version: str
    view: int
    child: str
    record: str
    categories: frozenset[str]
    only_for: str | None


@dataclass(slots=True)
class Opened:
    """The widest view in which a child's Patient, categories and records are open to an agency."""

    agency: str
    patient: int = 0
    categories: dict[str, int] = field(default_factory=dict)
    records: dict[str, int] = field(default_factory=dict)
    withheld: frozenset[str] = frozenset()

    @classmethod
    def of_message(cls, message: ApplyGrantsRequest, agency: str) -> Self:
        """Of a set as `consent` sends it."""
        rows = [
            {
                "recipient": grant.recipient,
                "patient": grant.patient,
                "category": _code(grant.category),
                "record_id": grant.record_id or None,
                "view": int(grant.view),
                "line_id": grant.line_id or None,
            }
            for grant in message.grants
        ]
        return cls.of_rows(rows, agency, withheld={one.record_id for one in message.restrictions})

    @classmethod
    def of_rows(
        cls,
        rows: Iterable[Mapping[str, Any]],
        agency: str,
        *,
        withheld: Iterable[str] = (),
        lines: frozenset[str] | None = EVERY_LINE,
    ) -> Self:
        """Of rows as the exchange stores them; `lines` in force, or every one."""
        made = cls(agency, withheld=frozenset(withheld))
        for row in rows:
            if row["recipient"] == agency and (lines is None or not row["line_id"] or row["line_id"] in lines):
                made._add(row)
        return made

    def opens(self, served: Served) -> bool:
        """Whether this version may be shown."""
        if served.record in self.withheld or served.only_for not in (None, self.agency):
            return False
        if served.type == "Patient":
            return served.view <= self.patient
        if self.records.get(served.record, 0) >= served.view:
            return True
        return bool(served.categories) and all(
            self.categories.get(name, 0) >= served.view for name in served.categories
        )

    def _add(self, row: Mapping[str, Any]) -> None:
        view = row["view"]
        if row["patient"]:
            self.patient = max(self.patient, view)
        for kind, value in (("categories", row["category"]), ("records", row["record_id"])):
            if value:
                held = getattr(self, kind)
                held[value] = max(held.get(value, 0), view)


def _code(category: "Category.ValueType") -> str | None:
    return Category.Name(category).removeprefix("CATEGORY_").lower().replace("_", "-") if category else None
