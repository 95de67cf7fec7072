"""The journey's state and its order: ten steps, each a function in `steps/` named after what happens."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from http import HTTPStatus
from typing import Any, TypeVar

import httpx

from ecm.admin.running import RunningRegion
from ecm.demo.material import Subject, first_subject
from ecm.demo.partner import Partner, TopicEvent
from ecm.demo.yot import Yot

PSYCHOLOGY = "nhs-psychology"
LOCAL_AUTHORITY = "la-eastvale"
PATIENCE_SECONDS = 60.0
BEFORE_THE_MEETING = 5.0  # seconds: enough to invite in, and it must have begun before it was held
T = TypeVar("T")


class JourneyError(Exception):
    """A step didn't end as it must; the message says what was expected and what was seen."""


@dataclass(slots=True)
class Journey:
    """What a step needs and leaves behind: who acts, about whom, and the record ids so far."""

    stack: RunningRegion
    subject: Subject
    yot: Yot
    psychology: Partner
    local_authority: Partner
    today: date
    ids: dict[str, str] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    fetched: list[TopicEvent] = field(default_factory=list)
    posted: list[str] = field(default_factory=list)
    unconcerned: int = 0
    notice: float = BEFORE_THE_MEETING

    @classmethod
    def on(cls, stack: RunningRegion, subject: Subject | None = None) -> "Journey":
        """A journey on a running region, about the first child unless another is given."""
        region = stack.load_region()
        today = datetime.now(region.zone).date()
        partners = Partner(stack, PSYCHOLOGY), Partner(stack, LOCAL_AUTHORITY)
        return cls(stack, subject or first_subject(today), Yot(stack), *partners, today)

    def command(self, person: str, method: Callable[..., Any], request: Any, name: str) -> Any:
        """Send a command and remember the record it answers as `name`."""
        response = self.yot.call(person, method, request)
        self.ids[name], self.versions[name] = response.ref.record_id, response.ref.version
        return response

    def sights(self) -> dict[str, str]:
        """What each partner can see of the child now, in a few words."""
        return {partner.client: describe(partner, self.subject) for partner in (self.psychology, self.local_authority)}

    def close(self) -> None:
        """Close every connection."""
        self.yot.close()
        self.psychology.close()
        self.local_authority.close()


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its title, and the function that takes it and says in a few lines what happened."""

    title: str
    take: Callable[[Journey], list[str]]


def describe(partner: Partner, subject: Subject) -> str:
    """`nothing`, or how many resources of which type."""
    sight = partner.sight(subject.identifier)
    return ", ".join(f"{count} {kind}" for kind, count in sorted(sight.items())) or "nothing"


def expect(condition: object, what: str) -> None:
    """Raise `JourneyError` where the condition doesn't hold."""
    if not condition:
        raise JourneyError(what)


def expect_status(answer: httpx.Response, status: HTTPStatus, what: str) -> None:
    """Raise `JourneyError` where a partner is answered with another status."""
    expect(answer.status_code == status, f"{what}: {answer.status_code} {answer.text[:300]}")


def until(look: Callable[[], T | None], what: str, seconds: float | None = None) -> T:
    """Look again and again until something is there; events travel, so nothing is there at once."""
    seconds = PATIENCE_SECONDS if seconds is None else seconds
    end = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        if time.monotonic() > end:
            raise JourneyError(f"{what}: not within {seconds:g} s")
        time.sleep(0.1)
