"""What kinds of entries look like: colour, pattern *and* words, never colour alone (checklist 152)."""

from dataclasses import dataclass

from ecm.api.formulation.v1 import formulation_records_pb2 as records
from ecm.formulation.drawing.svg import Element, add


@dataclass(frozen=True, slots=True)
class Look:
    """One group of kinds. Red, blue and green are the guidance's own (Appendix 3)."""

    name: str
    ink: str
    paper: str
    pattern: str


FAMILY = Look("Family", "#b3261e", "#fdf1f0", "solid")
HOME = Look("Home", "#8a5a00", "#fdf6e9", "bricks")
EDUCATION = Look("Education", "#1f4fbf", "#eff4fd", "rising")
HEALTH = Look("Health", "#1b7a35", "#eef8f0", "crosses")
SOCIAL_SERVICES = Look("Social services", "#7a2a8f", "#f8f0fa", "falling")
OFFENDING = Look("Offending", "#333333", "#f3f3f3", "upright")
LOSS = Look("Loss", "#5b6470", "#f2f4f6", "dots")
SUPPORT = Look("Relationships and support", "#00718a", "#ecf7fa", "level")
OTHER = Look("Other", "#6b5b4b", "#f7f4f1", "chequers")

LOOKS = (FAMILY, HOME, EDUCATION, HEALTH, SOCIAL_SERVICES, OFFENDING, LOSS, SUPPORT, OTHER)

_BY_KIND = {
    records.TIMELINE_KIND_PRE_BIRTH: FAMILY,
    records.TIMELINE_KIND_BIRTH: FAMILY,
    records.TIMELINE_KIND_POST_BIRTH: HEALTH,
    records.TIMELINE_KIND_PARENTAL_RELATIONSHIP: FAMILY,
    records.TIMELINE_KIND_SIBLING_BIRTH: FAMILY,
    records.TIMELINE_KIND_HOUSE_MOVE: HOME,
    records.TIMELINE_KIND_SCHOOL: EDUCATION,
    records.TIMELINE_KIND_PHYSICAL_HEALTH: HEALTH,
    records.TIMELINE_KIND_MENTAL_HEALTH: HEALTH,
    records.TIMELINE_KIND_PARENT_CARER: FAMILY,
    records.TIMELINE_KIND_SOCIAL_SERVICES: SOCIAL_SERVICES,
    records.TIMELINE_KIND_OFFENCE: OFFENDING,
    records.TIMELINE_KIND_LOSS: LOSS,
    records.TIMELINE_KIND_PAST_INTERVENTION: SUPPORT,
    records.TIMELINE_KIND_RELATIONSHIP: SUPPORT,
}

# Tile of 8 by 8 pixels each: a path in the group's ink.
_TILES = {
    "bricks": "M0 4H8M4 0V4M0 4V8",
    "rising": "M-2 10L10 -2M-2 2L2 -2M6 10L10 6",
    "falling": "M-2 -2L10 10M6 -2L10 2M-2 6L2 10",
    "crosses": "M4 1V7M1 4H7",
    "upright": "M2 0V8M6 0V8",
    "level": "M0 2H8M0 6H8",
    "dots": "M2 2h.1M6 6h.1",
    "chequers": "M0 2H4M4 6H8",
}


def look_of(kind: int) -> Look:
    """The look of a timeline kind; kinds that aren't known yet look like OTHER."""
    return _BY_KIND.get(kind, OTHER)  # type: ignore[call-overload, no-any-return]


def add_patterns(root: Element) -> None:
    """The patterns that `fill_of` points at."""
    definitions = add(root, "defs")
    for look in LOOKS:
        if look.pattern in _TILES:
            tile = add(definitions, "pattern", id=look.pattern, width=8, height=8, patternUnits="userSpaceOnUse")
            add(tile, "rect", width=8, height=8, fill=look.paper)
            width = 4 if look.pattern in ("chequers",) else 3 if look.pattern == "dots" else 1.6
            add(tile, "path", d=_TILES[look.pattern], stroke=look.ink, stroke_width=width, stroke_linecap="round")


def fill_of(look: Look) -> str:
    """What a band of this group is filled with."""
    return f"url(#{look.pattern})" if look.pattern in _TILES else look.ink
