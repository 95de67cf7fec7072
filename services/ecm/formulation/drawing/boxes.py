"""Where each entry of a timeline stands: its extent on the axis, its box, its words (checklist 149 to 152)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from ecm.api.common.v1.values_pb2 import PartialPeriod
from ecm.api.formulation.v1.formulation_records_pb2 import CERTAINTY_SUSPECTED, TimelineEntry
from ecm.formulation.drawing import dates
from ecm.formulation.drawing.axis import YEAR_WIDTH, Axis
from ecm.formulation.drawing.categories import Look, look_of
from ecm.formulation.drawing.lanes import assign, tops
from ecm.formulation.drawing.text import clean, width_of, wrap
from ecm.formulation.model.periods import earliest, in_order, latest

PADDING = 6.0
BAND = 10.0
DATE_SIZE, TEXT_SIZE, TAG_SIZE = 11.0, 12.5, 9.5
LEADING = 1.25
_LONG = 2 * YEAR_WIDTH
_WIDTHS = ((24, 96.0), (70, 130.0), (160, 180.0), (10_000, 260.0))
"""(up to so many characters, width of the words)"""


@dataclass(frozen=True, slots=True)
class Extent:
    """What an entry covers, in pixels: at most `left` to `right`, certainly `sure`. Beyond the axis where it opens."""

    left: float
    right: float
    sure: tuple[float, float] | None
    opens_left: bool
    opens_right: bool


@dataclass(frozen=True, slots=True)
class Box:
    """One entry, placed."""

    entry_id: UUID
    entry: TimelineEntry
    look: Look
    extent: Extent
    date_lines: Sequence[str]
    text_lines: Sequence[str]
    tag_lines: Sequence[str]
    left: float
    width: float
    lane: int = 0
    top: float = 0.0

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def taken(self) -> tuple[float, float]:
        """What it takes of a lane: its box, and its strip where that reaches further (only the year is known)."""
        return min(self.left, self.extent.left), max(self.right, self.extent.right)

    @property
    def height(self) -> float:
        """Band, lines and padding."""
        sizes = ((self.date_lines, DATE_SIZE), (self.text_lines, TEXT_SIZE), (self.tag_lines, TAG_SIZE))
        return BAND + 2 * PADDING + sum(len(found) * size * LEADING for found, size in sizes)

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height

    @property
    def suspected(self) -> bool:
        """Suspected, not known (159)."""
        return self.entry.certainty == CERTAINTY_SUSPECTED


def place(entries: Sequence[tuple[UUID, TimelineEntry]], axis: Axis, first_top: float) -> list[Box]:
    """Every entry's box, in lanes beneath `first_top`: what lasted long next to the axis, then by beginning."""
    loose = [_box(entry_id, entry, axis) for entry_id, entry in sorted(entries, key=_by_beginning)]
    loose.sort(key=lambda box: box.extent.right - box.extent.left <= _LONG)
    chosen = assign([box.taken for box in loose])
    places = zip(loose, chosen, tops(chosen, [box.height for box in loose], first_top), strict=True)
    return [replace(box, lane=lane, top=top) for box, lane, top in places]


def extent_of(period: PartialPeriod, axis: Axis) -> Extent:
    """What a period covers on the axis; its uncertain ends are as wide as what isn't known of them."""
    first = date(axis.first_year, 1, 1)
    start = period.start if period.HasField("start") else None
    end = period.end if period.HasField("end") else None
    opens_left = start is None or earliest(start) < first
    left = axis.left if start is None else axis.x(earliest(start))
    if not period.span:
        right = left if start is None else axis.x(latest(start), after=True)
        return Extent(left, max(left, right), None, opens_left, opens_right=False)
    right = max(left, axis.now if end is None else axis.x(latest(end), after=True))
    sure_left = axis.left if start is None else axis.x(latest(start), after=bool(not start.day))
    sure_right = right if end is None else axis.x(earliest(end), after=bool(end.day))
    sure = (sure_left, min(sure_right, right)) if sure_left < sure_right else None
    opens_right = end is None or latest(end).year > axis.last_year
    return Extent(left, right, sure, opens_left, opens_right)


def _by_beginning(entry: tuple[UUID, TimelineEntry]) -> tuple[date, date, str]:
    return *in_order(entry[1].period), str(entry[0])


def _box(entry_id: UUID, entry: TimelineEntry, axis: Axis) -> Box:
    look = look_of(entry.kind)
    extent = extent_of(entry.period, axis)
    words = (clean(dates.label(entry.period)), clean(entry.text.text), _tag(entry, look))
    width = _width(extent, words, entry.period.span)
    inner = width - 2 * PADDING
    return Box(
        entry_id=entry_id,
        entry=entry,
        look=look,
        extent=extent,
        date_lines=wrap(words[0], inner, DATE_SIZE, bold=True),
        text_lines=wrap(words[1], inner, TEXT_SIZE),
        tag_lines=wrap(words[2], inner, TAG_SIZE),
        left=_left(extent, width, entry.period.span, axis),
        width=width,
    )


def _tag(entry: TimelineEntry, look: Look) -> str:
    return f"{look.name} · suspected" if entry.certainty == CERTAINTY_SUSPECTED else look.name


def _width(extent: Extent, words: tuple[str, str, str], span: bool) -> float:
    """As wide as the span, and wide enough for the words."""
    column = next(width for most, width in _WIDTHS if len(words[1]) <= most)
    sizes = zip(words, (DATE_SIZE, TEXT_SIZE, TAG_SIZE), strict=True)
    needed = min(column, max(width_of(word, size, bold=size == DATE_SIZE) for word, size in sizes))
    return max(extent.right - extent.left if span else 0.0, needed + 2 * PADDING + 1)


def _left(extent: Extent, width: float, span: bool, axis: Axis) -> float:
    """A span's box begins with the span, a point's is centred on it; both stay beneath the axis."""
    wanted = extent.left if span else (extent.left + extent.right - width) / 2
    return max(axis.left, min(wanted, axis.right - width))
