"""The timeline of the formulation meeting as SVG (checklist 147 to 152; the guidance's Appendix 3)."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from ecm.api.formulation.v1.formulation_records_pb2 import TimelineEntry
from ecm.formulation.drawing import dates
from ecm.formulation.drawing.axis import MARGIN, Axis
from ecm.formulation.drawing.boxes import (
    BAND,
    DATE_SIZE,
    LEADING,
    PADDING,
    TAG_SIZE,
    TEXT_SIZE,
    Box,
    place,
)
from ecm.formulation.drawing.categories import add_patterns, fill_of
from ecm.formulation.drawing.legend import HEIGHT as LEGEND_HEIGHT
from ecm.formulation.drawing.legend import WIDTH as LEGEND_WIDTH
from ecm.formulation.drawing.legend import add_legend
from ecm.formulation.drawing.svg import Element, Style, add, canvas, line, lines, to_bytes

TITLE_Y, AXIS_Y, AGE_Y, FIRST_TOP = 30.0, 76.0, 98.0, 122.0
INK, FAINT = "#1a1a1a", "#d5d9de"
BOTTOM_AXIS = 30.0
TIP = 14.0


def draw_timeline(entries: Sequence[tuple[UUID, TimelineEntry]], born: date, today: date) -> bytes:
    """The SVG of all entries (their record ids tell them apart): the same input gives the same bytes."""
    axis = Axis(born, today)
    boxes = place(entries, axis, FIRST_TOP)
    floor = max([box.bottom for box in boxes], default=FIRST_TOP) + 14
    description = (
        f"Calendar years {axis.first_year} to {axis.last_year}, the child's age between them, {len(boxes)} entries."
    )
    width = max(axis.right + MARGIN, LEGEND_WIDTH)
    root = canvas(width, floor + BOTTOM_AXIS + LEGEND_HEIGHT, "Timeline", description)
    add_patterns(root)
    add(root, "text", "Timeline", x=MARGIN, y=TITLE_Y, font_size=20, font_weight="bold", fill=INK)
    _add_axis(root, axis, floor)
    for box in boxes:
        _add_box(root, box, axis)
    add_legend(root, MARGIN, floor + BOTTOM_AXIS, {box.look for box in boxes})
    return to_bytes(root)


def _add_axis(root: Element, axis: Axis, floor: float) -> None:
    group = add(root, "g")
    for year in axis.years():
        x = axis.x_of_year(year)
        line(group, (x, AXIS_Y - 7), (x, floor), stroke=FAINT)
        for y in (AXIS_Y - 12, floor + 16):
            add(group, "text", str(year), x=x, y=y, font_size=14, font_weight="bold", text_anchor="middle", fill=INK)
        line(group, (x, AXIS_Y - 7), (x, AXIS_Y + 7), stroke=INK, stroke_width=2)
    for y in (AXIS_Y, floor):
        line(group, (axis.left, y), (axis.right, y), stroke=INK, stroke_width=2)
    _add_ages(group, axis, floor)
    line(group, (axis.now, AXIS_Y), (axis.now, floor), stroke=INK, stroke_dasharray="3 4")
    add(group, "text", "today", x=axis.now + 4, y=AXIS_Y + 14, font_size=11, fill=INK)


def _add_ages(group: Element, axis: Axis, floor: float) -> None:
    add(group, "text", "age", x=axis.left, y=AGE_Y + 4, font_size=11, font_style="italic", fill=INK)
    for age, x in axis.birthdays():
        if x <= axis.now:
            line(group, (x, AXIS_Y), (x, floor), stroke=FAINT, stroke_dasharray="1 5")
            add(group, "circle", cx=x, cy=AGE_Y, r=11, fill="#ffffff", stroke=INK)
            add(group, "text", str(age), x=x, y=AGE_Y + 4.5, font_size=13, text_anchor="middle", fill=INK)


def _add_box(root: Element, box: Box, axis: Axis) -> None:
    group = add(root, "g")
    add(group, "title", _spoken(box))
    border: Style = {"stroke_dasharray": "6 4"} if box.suspected else {}
    shape: Style = {"x": box.left, "y": box.top, "width": box.width, "height": box.height}
    add(group, "rect", **shape, rx=3, fill=box.look.paper, stroke=box.look.ink, stroke_width=2, **border)
    _add_band(group, box, axis)
    at = (box.left + PADDING, box.top + BAND + PADDING + DATE_SIZE - 1)
    y = lines(group, box.date_lines, at, DATE_SIZE, leading=LEADING, font_weight="bold", fill=box.look.ink)
    y = lines(group, box.text_lines, (at[0], y + 1), TEXT_SIZE, leading=LEADING, fill=INK)
    lines(group, box.tag_lines, (at[0], y - 1), TAG_SIZE, leading=LEADING, fill=box.look.ink)


def _add_band(group: Element, box: Box, axis: Axis) -> None:
    """The strip on a box that says when exactly: full where it is sure, pale where only the month or year is known."""
    extent, ink = box.extent, box.look.ink
    left, right = _at_least(extent.left, extent.right, box)
    strip: Style = {"y": box.top, "height": BAND, "stroke": ink}
    pale = 1.0 if right - left <= _EXACT and extent.sure is None else 0.4
    add(group, "rect", x=left, width=right - left, fill=fill_of(box.look), fill_opacity=pale, **strip)
    if extent.sure is not None:
        sure_left, sure_right = extent.sure
        add(group, "rect", x=sure_left, width=sure_right - sure_left, fill=fill_of(box.look), **strip)
    middle = box.top + BAND / 2
    if extent.opens_left:
        _arrow(group, (axis.left, middle), -TIP, ink)
    if extent.opens_right:
        _arrow(group, (right, middle), TIP, ink)


_EXACT = 5.0


def _at_least(left: float, right: float, box: Box) -> tuple[float, float]:
    """The extent, wide enough to be seen, within the box."""
    if right - left >= _EXACT:
        return left, right
    start = max(box.left, min((left + right - _EXACT) / 2, box.right - _EXACT))
    return start, start + _EXACT


def _arrow(group: Element, at: tuple[float, float], tip: float, ink: str) -> None:
    x, y = at
    points = f"{x:g},{y - BAND / 2 - 1:g} {x + tip:g},{y:g} {x:g},{y + BAND / 2 + 1:g}"
    add(group, "polygon", points=points, fill=ink)


def _spoken(box: Box) -> str:
    """The entry for a screen reader and a pointer: what, when, how sure, who told it (154, 159)."""
    entry = box.entry
    sure = "suspected" if box.suspected else "known"
    told = " of ".join(part for part in (entry.contributed_by_role, entry.contributed_by_agency) if part)
    sentence = f"{dates.label(entry.period)}: {entry.text.text} ({box.look.name}, {sure})"
    return f"{sentence}. Told by {told}." if told else f"{sentence}."
