"""What the signs of a timeline mean, written beneath it."""

from collections.abc import Collection

from ecm.formulation.drawing.categories import LOOKS, Look, fill_of
from ecm.formulation.drawing.svg import Element, add
from ecm.formulation.drawing.text import width_of

HEIGHT = 74.0
WIDTH = 1160.0
"""Of all its signs in one row."""
SIZE = 12.0
INK = "#1a1a1a"
_SWATCH = 26.0
_STEP = 8.0


def add_legend(root: Element, left: float, top: float, used: Collection[Look]) -> None:
    """The groups that occur, and how precision, certainty and open ends are drawn."""
    group = add(root, "g")
    x = left
    for look in LOOKS:
        if look in used:
            x = _swatch(group, (x, top + 14), look.name, fill=fill_of(look), stroke=look.ink)
    _signs(group, left, top + 44)


def _signs(group: Element, left: float, y: float) -> None:
    frame = {"fill": "#ffffff", "stroke": INK}
    x = _swatch(group, (left, y), "known", **frame)
    x = _swatch(group, (x, y), "suspected", stroke_dasharray="6 4", **frame)
    x = _swatch(
        group, (x, y), "strip: when; pale where no more than month or year is known", fill="#9aa3ad", stroke=INK
    )
    points = f"{x + _SWATCH:g},{y:g} {x + _SWATCH - 14:g},{y + 6:g} {x + _SWATCH:g},{y + 12:g}"
    add(group, "polygon", points=points, fill=INK)
    x += _SWATCH + _STEP
    add(group, "text", "began before this year, or goes on", x=x, y=y + 11, font_size=SIZE, fill=INK)


def _swatch(group: Element, at: tuple[float, float], name: str, **style: str) -> float:
    """A sign with its words; answers where the next may begin."""
    x, y = at
    add(group, "rect", x=x, y=y, width=_SWATCH, height=13, stroke_width=1.5, **style)
    add(group, "text", name, x=x + _SWATCH + _STEP, y=y + 11, font_size=SIZE, fill=INK)
    return x + _SWATCH + _STEP + width_of(name, SIZE) + 2 * _STEP
