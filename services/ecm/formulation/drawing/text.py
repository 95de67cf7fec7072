"""Text in a drawing: what XML allows, how wide it is, where it breaks."""

import re

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NARROW = frozenset(" !'(),-./:;I[\\]`fijlrt|‘’")
_WIDE = frozenset("ABCDEFGHJKLNOPQRSTUVXYZ&%_w£–0123456789?“”…")
_WIDEST = frozenset("MW@m—")
_LAST_LATIN = "\u024f"


def clean(text: str) -> str:
    """The text without what XML 1.0 can't hold, its white space as single blanks."""
    return " ".join(_FORBIDDEN.sub("\ufffd", text).split())


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """How wide the text is at most, in pixels: the reader's font is unknown, and may be as wide as DejaVu Sans."""
    return sum(_em(char) for char in text) * size * (1.2 if bold else 1.1)


def wrap(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Lines of at most `width` pixels; a word that is longer is broken."""
    lines: list[str] = []
    current = ""
    for word in clean(text).split(" "):
        for piece in _pieces(word, width, size, bold):
            joined = f"{current} {piece}" if current else piece
            if current and width_of(joined, size, bold=bold) > width:
                lines.append(current)
                current = piece
            else:
                current = joined
    return [*lines, current] if current else lines


def _pieces(word: str, width: float, size: float, bold: bool) -> list[str]:
    """The word, cut where it is wider than a line."""
    pieces = [""]
    for char in word:
        if pieces[-1] and width_of(pieces[-1] + char, size, bold=bold) > width:
            pieces.append("")
        pieces[-1] += char
    return pieces


def _em(char: str) -> float:
    if char in _NARROW:
        return 0.34
    if char in _WIDE:
        return 0.74 if char.isalpha() else 0.6
    if char in _WIDEST or char > _LAST_LATIN:
        return 1.0
    return 0.57
