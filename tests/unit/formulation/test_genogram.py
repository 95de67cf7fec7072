"""The family tree as drawn (checklist 111, 135 to 146)."""

from itertools import combinations
from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from ecm.api.common.v1.values_pb2 import Date
from ecm.api.referrals.v1 import referrals_records_pb2 as referrals
from ecm.formulation.drawing.genogram import HALF, _spots, draw_genogram
from ecm.formulation.drawing.kin import CHILD, family_of
from unit.formulation.builders import day

SVG = "{http://www.w3.org/2000/svg}"
JOE = referrals.Child(given_names=["Joe"], date_of_birth=Date(year=2012, month=1, day=17), gender=referrals.GENDER_MALE)


def member(name: str, relation: str, **more: Any) -> referrals.FamilyMember:
    relationship = referrals.Relationship.Value(f"RELATIONSHIP_{relation}")
    return referrals.FamilyMember(given_names=[name], relationship=relationship, **more)


FAMILY = {
    "gran": member("Rose", "GRANDPARENT", gender=referrals.GENDER_FEMALE, date_of_death=day(2013, 10)),
    "mum": member("Carol", "MOTHER", gender=referrals.GENDER_FEMALE, parent_ids=["gran"], partner_ids=["ken"]),
    "dad": member("David", "FATHER", gender=referrals.GENDER_MALE, partner_ids=["mum"]),
    "ken": member("Ken", "STEP_PARENT", gender=referrals.GENDER_MALE),
    "max": member("Max", "SIBLING", date_of_birth=day(2009)),
    "amy": member("Amy", "HALF_SIBLING", gender=referrals.GENDER_FEMALE, parent_ids=["mum", "ken"]),
}


def test_parents_are_linked_and_children_hang_from_both_or_from_whom_they_have() -> None:
    unions = {union.parents: union.children for union in family_of(JOE, FAMILY).unions}
    assert unions == {("dad", "mum"): [CHILD, "max"], ("ken", "mum"): ["amy"], ("gran",): ["mum"]}


def test_siblings_stand_by_birth_and_generations_beneath_each_other() -> None:
    family = family_of(JOE, FAMILY)
    assert [person.name for person in family.row(2)] == ["Max", "Joe", "Amy"]
    assert [person.name for person in family.row(1)] == ["David", "Carol", "Ken"]
    spots = _spots(family)
    assert spots["gran"][1] < spots["mum"][1] == spots["dad"][1] < spots[CHILD][1]


def test_signs_say_gender_child_and_death() -> None:
    root = ET.fromstring(draw_genogram(JOE, FAMILY, []))
    groups = {group[0].text: group for group in root.findall(f"{SVG}g") if group[0].tag == f"{SVG}title"}
    shapes = {
        str(name).split(",")[0]: [part.tag.removeprefix(SVG) for part in group[1:]] for name, group in groups.items()
    }
    assert shapes["Joe"].count("rect") == 3
    assert shapes["David"].count("rect") == 2
    assert shapes["Carol"].count("circle") == 1
    assert shapes["Max"].count("polygon") == 1
    assert shapes["Rose"].count("line") == 2


def test_a_long_name_hides_no_line() -> None:
    """The line between parents runs beneath the words of both, however many there are."""
    long = FAMILY | {"dad": member("Bartholomew Maximilian Featherstonehaugh-Cholmondeley", "FATHER")}
    long["dad"].family_name = "Longerfamilyname-Hyphenated"
    root = ET.fromstring(draw_genogram(JOE, long, []))
    across = [line for group in root.findall(f"{SVG}g[@stroke]") for line in group if line.get("y1") == line.get("y2")]
    people = [group for group in root.findall(f"{SVG}g") if group[0].tag == f"{SVG}title"]
    rects = [rect for group in people for rect in group.findall(f"{SVG}rect") if rect.get("stroke") is None]
    assert across and rects
    for line in across:
        left, right = sorted((float(line.get("x1", "")), float(line.get("x2", ""))))
        for rect in rects:
            x, y = float(rect.get("x", "")), float(rect.get("y", ""))
            beside = right <= x or left >= x + float(rect.get("width", ""))
            apart = not y < float(line.get("y1", "")) < y + float(rect.get("height", "")) + 2
            assert beside or apart


members = st.builds(
    referrals.FamilyMember,
    given_names=st.lists(st.text(max_size=30), max_size=2),
    relationship=st.integers(0, 11),
    gender=st.integers(0, 4),
    parent_ids=st.lists(st.sampled_from([CHILD, "0", "1", "2", "gone"]), max_size=2),
    partner_ids=st.lists(st.sampled_from([CHILD, "0", "1", "gone"]), max_size=2),
)


@given(st.lists(members, max_size=12), st.lists(st.text(min_size=1, max_size=100), max_size=4))
@settings(max_examples=60, deadline=None)
def test_any_family_is_drawn_with_everybody_once(found: list[referrals.FamilyMember], bullets: list[str]) -> None:
    family = {str(number): one for number, one in enumerate(found)}
    root = ET.fromstring(draw_genogram(JOE, family, bullets))
    assert len(list(root.iter(f"{SVG}title"))) == 2 + len(family)
    spots = _spots(family_of(JOE, family)).values()
    for one, other in combinations(spots, 2):
        assert abs(one[0] - other[0]) > 2 * HALF or abs(one[1] - other[1]) > 2 * HALF
