"""Reading the form's answers: what was answered yes, don't know or not at all (checklist 46 to 75)."""

from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.message import Message

from ecm.api.referrals.v1.referrals_records_pb2 import (
    CURRENT_PREVIOUS_NEVER_CURRENT,
    CURRENT_PREVIOUS_NEVER_PREVIOUS,
    YES_NO_DONT_KNOW_DONT_KNOW,
    YES_NO_DONT_KNOW_YES,
    AdverseChildhoodExperiences,
    Complexity,
    CurrentPreviousNever,
)

BEREAVEMENT = "significant_bereavement"
"""The eleventh row of the grid; not one of the ten ACEs (checklist 57)."""
_AFFIRMED_SPANS = (CURRENT_PREVIOUS_NEVER_CURRENT, CURRENT_PREVIOUS_NEVER_PREVIOUS)
_SPAN_TYPE = CurrentPreviousNever.DESCRIPTOR


@dataclass(frozen=True, slots=True)
class Tally:
    """How a set of items was answered. "Don't know" and unanswered are counted apart, never as no (58)."""

    items: int
    affirmed: int
    dont_know: int
    unanswered: int


def tally_aces(aces: AdverseChildhoodExperiences) -> Tally:
    """The ten ACEs (46 to 55)."""
    return _tally(answer for name, answer in _answers(aces) if name != BEREAVEMENT)


def bereaved(aces: AdverseChildhoodExperiences) -> bool:
    """Significant bereavement answered yes (56)."""
    return aces.significant_bereavement == YES_NO_DONT_KNOW_YES


def tally_complexity(complexity: Complexity) -> Tally:
    """The fourteen items of complexity (61 to 74), affirmed by yes, current or previous."""
    return _tally(answer for _, answer in _answers(complexity))


@dataclass(frozen=True, slots=True)
class _Answer:
    value: int
    affirmed: bool
    dont_know: bool


def _answers(grid: Message) -> Iterator[tuple[str, _Answer]]:
    for field in grid.DESCRIPTOR.fields:
        value: int = getattr(grid, field.name)
        # The two value sets share numbers: 2 is "no" in one and "previous" in the other (75).
        if field.enum_type is _SPAN_TYPE:
            yield field.name, _Answer(value, value in _AFFIRMED_SPANS, False)
        else:
            yield field.name, _Answer(value, value == YES_NO_DONT_KNOW_YES, value == YES_NO_DONT_KNOW_DONT_KNOW)


def _tally(answers: Iterator[_Answer]) -> Tally:
    listed = list(answers)
    return Tally(
        items=len(listed),
        affirmed=sum(answer.affirmed for answer in listed),
        dont_know=sum(answer.dont_know for answer in listed),
        unanswered=sum(answer.value == 0 for answer in listed),
    )
