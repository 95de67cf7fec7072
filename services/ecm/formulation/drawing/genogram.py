"""The family tree with its key information beside it, as SVG (checklist 111, 135 to 146).

Signs as genograms have them: squares are male, circles female, diamonds neither known nor said; the child has a
double border; a cross says deceased; a line between two joins parents, and their children hang from it by birth.
"""

from collections.abc import Iterator, Mapping, Sequence

from ecm.api.referrals.v1 import referrals_records_pb2 as referrals
from ecm.formulation.drawing import dates
from ecm.formulation.drawing.kin import CHILD, GENERATIONS, Family, Person, Union, family_of
from ecm.formulation.drawing.svg import Element, Style, add, canvas, line, lines, to_bytes
from ecm.formulation.drawing.text import wrap

MARGIN, TOP, INK = 40.0, 90.0, "#1a1a1a"
STEP, ROW = 150.0, 190.0
HALF = 24.0
NAME_SIZE, SMALL = 13.0, 11.0
PANEL, PANEL_GAP = 330.0, 50.0
STAGGER = 12.0
WORDS_GAP = 4.0
# Between words and the parents' line, and from there to the next generation's signs.
BENEATH, FOR_LINES = 12.0, 68.0

Point = tuple[float, float]


def draw_genogram(
    child: referrals.Child, members: Mapping[str, referrals.FamilyMember], key_information: Sequence[str]
) -> bytes:
    """The SVG of the family, `members` by record id: the same input gives the same bytes."""
    family = family_of(child, members)
    spots, heights = _spots(family), _heights(family)
    right = max(x for x, _ in spots.values()) + STEP / 2
    bottom = max(y + heights[key] for key, (_, y) in spots.items()) - 40
    panel = _panel_lines(key_information)
    height = max(bottom + 60, TOP + len(panel) * NAME_SIZE * 1.4 + 60)
    description = f"{len(family.people)} people, {len(key_information)} points of key information beside the tree."
    root = canvas(right + PANEL_GAP + PANEL + MARGIN, height, "Family tree", description)
    add(root, "text", "Family tree", x=MARGIN, y=40, font_size=20, font_weight="bold", fill=INK)
    for offset, union in _staggered(family):
        below = max(spots[key][1] + heights[key] for key in union.parents)
        _add_union(root, union, spots, (offset, below))
    for person in family.people.values():
        _add_person(root, person, spots[person.key])
    _add_panel(root, right + PANEL_GAP, panel)
    _add_legend(root, height - 24)
    return to_bytes(root)


def _spots(family: Family) -> dict[str, Point]:
    """The middle of each person's sign; every generation is centred."""
    rows, heights = _rows(family), _heights(family)
    widest = max(len(row) for row in rows)
    spots, top = {}, TOP
    for row in rows:
        first = MARGIN + STEP / 2 + (widest - len(row)) * STEP / 2
        for place, person in enumerate(row):
            spots[person.key] = (first + place * STEP, top)
        top += heights[row[0].key]
    return spots


def _heights(family: Family) -> dict[str, float]:
    """How far beneath each person the next generation stands: no line runs behind the words of anybody in the row."""
    return {
        person.key: max(ROW, max(_words_height(one) for one in row) + 2 * HALF + WORDS_GAP + BENEATH + FOR_LINES)
        for row in _rows(family)
        for person in row
    }


def _rows(family: Family) -> list[list[Person]]:
    return [row for row in (family.row(generation) for generation in range(GENERATIONS)) if row]


def _staggered(family: Family) -> Iterator[tuple[float, Union]]:
    """Unions of one generation have their lines at different heights, so that they can be told apart."""
    counted: dict[int, int] = {}
    for union in family.unions:
        generation = family.people[union.parents[0]].generation
        yield counted.get(generation, 0) * STAGGER, union
        counted[generation] = counted.get(generation, 0) + 1


def _add_union(root: Element, union: Union, spots: Mapping[str, Point], where: Point) -> None:
    """The parents' line beneath their names, and the children hanging from it. `where`: aside, and the next row."""
    offset, below = where
    group = add(root, "g", stroke=INK, stroke_width=1.8, fill="none")
    level = below - HALF - FOR_LINES + offset
    at = sorted(spots[key] for key in union.parents)
    for x, y in at:
        line(group, (x + offset / 2, y + HALF), (x + offset / 2, level))
    ends = [at[0][0] + offset / 2, at[-1][0] + offset / 2]
    hanging = [spots[child] for child in union.children]
    line(group, (ends[0], level), (ends[1], level))
    if hanging:
        _add_children(group, (sum(ends) / 2, level), hanging)


def _add_children(group: Element, parents: Point, hanging: Sequence[Point]) -> None:
    middle, level = parents
    xs = [x for x, _ in hanging]
    rail = level + 14
    line(group, (middle, level), (middle, rail))
    line(group, (min([middle, *xs]), rail), (max([middle, *xs]), rail))
    for x, y in hanging:
        line(group, (x, rail), (x, y - HALF))


def _add_person(root: Element, person: Person, at: Point) -> None:
    group = add(root, "g")
    add(group, "title", ", ".join([person.name or "name not known", *_facts(person)]))
    _add_sign(group, person.gender, at, HALF)
    if person.key == CHILD:
        _add_sign(group, person.gender, at, HALF - 5)
    if person.died is not None:
        _add_cross(group, at)
    _add_words(group, person, at)


def _add_words(group: Element, person: Person, at: Point) -> None:
    """Name, relation and dates beneath the sign, on white, since lines run behind them."""
    names, facts = _words(person)
    height = _words_height(person)
    top = at[1] + HALF + WORDS_GAP
    add(group, "rect", x=at[0] - STEP / 2 + 6, y=top, width=STEP - 12, height=height, fill="#ffffff")
    centred: Style = {"text_anchor": "middle", "fill": INK}
    y = lines(group, names, (at[0], at[1] + HALF + 17), NAME_SIZE, leading=1.2, font_weight="bold", **centred)
    lines(group, facts, (at[0], y), SMALL, leading=1.2, **centred)


def _words(person: Person) -> tuple[list[str], list[str]]:
    """The lines of the name, and of everything else."""
    names = wrap(person.name or "name not known", STEP - 16, NAME_SIZE)
    return names, [part for fact in _facts(person) for part in wrap(fact, STEP - 16, SMALL)]


def _words_height(person: Person) -> float:
    names, facts = _words(person)
    return len(names) * NAME_SIZE * 1.2 + len(facts) * SMALL * 1.2 + 4


def _facts(person: Person) -> list[str]:
    born = f"born {dates.written(person.born)}" if person.born is not None and person.born.year else ""
    died = f"died {dates.written(person.died)}" if person.died is not None and person.died.year else ""
    holds = "parental responsibility" if person.parental_responsibility else ""
    return [fact for fact in (person.relation, born, died, holds) if fact]


def _add_sign(group: Element, gender: int, at: Point, half: float) -> None:
    x, y = at
    style: Style = {"fill": "#ffffff", "stroke": INK, "stroke_width": 2}
    if gender == referrals.GENDER_MALE:
        add(group, "rect", x=x - half, y=y - half, width=2 * half, height=2 * half, **style)
    elif gender == referrals.GENDER_FEMALE:
        add(group, "circle", cx=x, cy=y, r=half, **style)
    else:
        points = f"{x:g},{y - half:g} {x + half:g},{y:g} {x:g},{y + half:g} {x - half:g},{y:g}"
        add(group, "polygon", points=points, **style)


def _add_cross(group: Element, at: Point) -> None:
    x, y = at
    for side in (-HALF, HALF):
        line(group, (x - HALF, y - side), (x + HALF, y + side), stroke=INK, stroke_width=1.6)


def _panel_lines(key_information: Sequence[str]) -> list[tuple[str, bool]]:
    """Lines of the bullets, and whether a bullet begins with them."""
    wrapped = [wrap(text, PANEL - 34, NAME_SIZE) for text in key_information]
    return [(text, number == 0) for bullet in wrapped for number, text in enumerate(bullet)]


def _add_panel(root: Element, left: float, panel: Sequence[tuple[str, bool]]) -> None:
    add(root, "text", "Key information", x=left, y=TOP - 24, font_size=15, font_weight="bold", fill=INK)
    line(root, (left - 20, TOP - 40), (left - 20, TOP + len(panel) * NAME_SIZE * 1.4), stroke="#c4c9cf")
    for number, (text, begins) in enumerate(panel):
        y = TOP + number * NAME_SIZE * 1.4
        if begins:
            add(root, "circle", cx=left + 4, cy=y - 4, r=2.5, fill=INK)
        add(root, "text", text, x=left + 16, y=y, font_size=NAME_SIZE, fill=INK)


def _add_legend(root: Element, y: float) -> None:
    text = "Square: male · circle: female · diamond: other or not known · double border: the child · cross: deceased"
    add(root, "text", text, x=MARGIN, y=y, font_size=SMALL, fill=INK)
