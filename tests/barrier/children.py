"""The children of a run: each brought so far that everything which may be closed has been opened."""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any

import grpc
import httpx

from barrier.commands import PASSING
from barrier.ground import Ground
from ecm.demo.journey import LOCAL_AUTHORITY, PSYCHOLOGY, Journey
from ecm.demo.material import Subject, birth_date
from ecm.demo.partner import Partner
from ecm.demo.steps import consenting, formulating, referring, reporting
from ecm.demo.steps.formulating import meeting
from ecm.demo.steps.referring import MANAGER
from ecm.demo.yot import Yot

STEPS: tuple[Callable[[Journey], list[str]], ...] = (
    referring.register,
    referring.refer,
    consenting.consent,
    formulating.meet,
    reporting.report,
)
OPEN = {"withdrawal": True, "circulation": True, "restriction": True, "invitation": False, "override": False}
STEADY_SECONDS = 60.0
FAMILIES = ("Aldercroft", "Brackenby", "Cindermoor", "Dunwhistle", "Everglass", "Farrowmere")


class SteadyPartner(Partner):
    """Asks again while the exchange has no lease: on a busy machine a short one is lost now and then."""

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """As of a partner; 503 is waited out."""
        until = time.monotonic() + STEADY_SECONDS
        while True:
            answer = Partner.request(self, method, path, **more)
            if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > until:
                return answer
            time.sleep(0.2)


class SteadyYot(Yot):
    """Repeats a command by its key while the service can't answer."""

    def call(self, person: str, method: Callable[..., Any], request: Any, *, key: str = "") -> Any:
        """As of a YOT; faults that pass are waited out."""
        key, until = key or str(uuid.uuid4()), time.monotonic() + STEADY_SECONDS
        while True:
            try:
                return Yot.call(self, person, method, request, key=key)
            except grpc.RpcError as error:
                if error.code() not in PASSING or time.monotonic() > until:
                    raise
                time.sleep(0.2)


@dataclass(slots=True)
class Child:
    """One of them; `journey` knows its records, `review` is a meeting to come, to which agencies are invited.

    `state`: what is open now, by the name of what would close it.
    """

    journey: Journey
    review: str
    state: dict[str, bool] = field(default_factory=lambda: dict(OPEN))

    @property
    def id(self) -> str:
        """The child's id."""
        return self.journey.ids["child"]


def prepared(ground: Ground, count: int) -> list[Child]:
    """So many children, side by side. Raises what the first that failed raised."""
    made: dict[int, Child] = {}
    failed: list[BaseException] = []

    def one(number: int) -> None:
        try:
            made[number] = another(ground, number)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return [made[number] for number in range(count)]


def another(ground: Ground, number: int) -> Child:
    """One child; `number` is of no other in the region."""
    today = datetime.now(UTC).date()
    partners = SteadyPartner(ground.stack, PSYCHOLOGY), SteadyPartner(ground.stack, LOCAL_AUTHORITY)
    journey = Journey(ground.stack, _subject(number, today), SteadyYot(ground.stack), *partners, today)
    for step in STEPS:
        step(journey)
    request = meeting(journey, datetime.now(UTC) + timedelta(hours=3))
    scheduled = journey.yot.call(MANAGER, journey.yot.formulation.ScheduleMeeting, request)
    return Child(journey, scheduled.ref.record_id)


def _subject(number: int, today: date) -> Subject:
    family = FAMILIES[number % len(FAMILIES)]
    return Subject(
        "Invented", family, nhs_number(number), f"BR-{number:04}", birth_date(today), street=f"{number} No Row"
    )


def nhs_number(number: int) -> str:
    """An invented number (999…) with its check digit."""
    base = 999_200_000 + number * 10
    while True:
        digits = [int(digit) for digit in str(base)]
        check = 11 - sum(digit * weight for digit, weight in zip(digits, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            return f"{base}{check % 11}"
        base += 1
