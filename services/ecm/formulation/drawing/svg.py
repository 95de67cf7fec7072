"""SVG elements: text is escaped by `xml.etree`, and no script or outside reference is ever made."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from ecm.formulation.drawing.text import FONT, clean

SVG = "http://www.w3.org/2000/svg"
MEDIA_TYPE = "image/svg+xml"
ET.register_namespace("", SVG)

Element = ET.Element
Value = str | float | int
Style = dict[str, Value]


def number(value: Value) -> str:
    """At most one decimal: fewer bytes, and the same drawing for the same entries."""
    return value if isinstance(value, str) else f"{round(value, 1):g}"


def add(parent: Element, tag: str, text: str = "", /, **attributes: Value) -> Element:
    """A child element; `_` in an attribute's name stands for `-`."""
    named = {name.rstrip("_").replace("_", "-"): number(value) for name, value in attributes.items()}
    element = ET.SubElement(parent, f"{{{SVG}}}{tag}", named)
    element.text = clean(text) or None
    return element


def canvas(width: float, height: float, title: str, description: str) -> Element:
    """An empty drawing that a screen reader can name."""
    root = ET.Element(f"{{{SVG}}}svg")
    for name, value in {"viewBox": f"0 0 {number(width)} {number(height)}", "width": number(width)}.items():
        root.set(name, value)
    root.set("height", number(height))
    root.set("role", "img")
    root.set("aria-labelledby", "title description")
    root.set("font-family", FONT)
    add(root, "title", title, id="title")
    add(root, "desc", description, id="description")
    add(root, "rect", width=width, height=height, fill="#ffffff")
    return root


def line(parent: Element, start: tuple[float, float], end: tuple[float, float], **attributes: Value) -> Element:
    """A straight line between two points."""
    return add(parent, "line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], **attributes)


def lines(
    parent: Element,
    texts: Sequence[str],
    at: tuple[float, float],
    size: float,
    *,
    leading: float = 1.25,
    **style: Value,
) -> float:
    """Lines of text beneath each other, the first one's baseline at `at`; answers the next baseline's y."""
    y = at[1]
    for text in texts:
        add(parent, "text", text, x=at[0], y=y, font_size=size, **style)
        y += size * leading
    return y


def to_bytes(root: Element) -> bytes:
    """The drawing as UTF-8."""
    drawing: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return drawing
