"""Who decides, when, under which rules: what every step of a case records (checklist 97)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ecm.referrals.model.states import Edge, Step


@dataclass(frozen=True, slots=True)
class Stamp:
    """`at` is aware (UTC), `by` a subject or a service's client id, `criteria_version` the set in force."""

    at: datetime
    by: str
    criteria_version: int


@dataclass(frozen=True, slots=True)
class Decision:
    """A step is decided: under the region's life cycle, by somebody, for a reason ("" where none was asked for)."""

    edges: Mapping[Step, Edge]
    stamp: Stamp
    reason: str = ""
