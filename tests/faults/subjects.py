"""Invented children beyond the demo's two, each with a number of the range that is kept for examples."""

from collections.abc import Iterator
from datetime import date
from itertools import count

from ecm.demo.material import Subject, birth_date

EXAMPLES = 999_100_000  # 999 xxx xxxx is never given to anybody
WEIGHTS = range(10, 1, -1)
MODULUS, NO_DIGIT = 11, 10


def subjects(today: date) -> Iterator[Subject]:
    """Children without end, none twice."""
    for number in count(1):
        nhs_number = _checked(EXAMPLES + number)
        if nhs_number:
            name = f"Invenna{number:04}x", f"Fictor{number:04}x"
            yield Subject(*name, nhs_number, f"EV-F{number:05}", birth_date(today))


def _checked(nine: int) -> str:
    """Nine digits with their check digit; "" where they have none."""
    total = sum(int(digit) * weight for digit, weight in zip(str(nine), WEIGHTS, strict=True))
    digit = (MODULUS - total % MODULUS) % MODULUS
    return "" if digit == NO_DIGIT else f"{nine}{digit}"
