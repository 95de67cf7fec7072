"""Children for a journey on a region that has taken it before: invented, one after another."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from ecm.api.common.v1.values_pb2 import Identifier
from ecm.api.referrals.v1.referrals_service_pb2 import FindChildrenRequest
from ecm.demo.journey import Journey
from ecm.demo.material import NHS_NUMBER_SYSTEM, Subject, first_subject
from ecm.demo.steps.referring import MANAGER

FIRST, LAST = 1001, 9999


def is_known(journey: Journey, subject: Subject) -> bool:
    """Whether the region has this child's record."""
    request = FindChildrenRequest(identifier=Identifier(system=NHS_NUMBER_SYSTEM, value=subject.nhs_number))
    return bool(journey.yot.call(MANAGER, journey.yot.referrals.FindChildren, request).refs)


def unknown(journey: Journey) -> Subject:
    """The first child whose record the region doesn't have."""
    return next(subject for subject in _subjects(journey.today) if not is_known(journey, subject))


def _subjects(today: date) -> Iterator[Subject]:
    first = first_subject(today)
    yield first
    for number in range(FIRST, LAST):
        if nhs_number := _nhs_number(number):
            yield replace(first, nhs_number=nhs_number, local_case_number=f"EV-{number}")


def _nhs_number(number: int) -> str:
    """A number of the range kept for tests (999…), "" where it would need a check digit of 10."""
    digits = f"999{number:06}"
    check = -sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=True)) % 11
    return "" if check == 10 else f"{digits}{check}"  # noqa: PLR2004 - modulo 11
