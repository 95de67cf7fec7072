"""The timeline as drawn (checklist 147 to 152): nothing lost, nothing hidden, nothing invented."""

from itertools import combinations
from uuid import UUID
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from ecm.api.formulation.v1 import formulation_records_pb2 as records
from ecm.formulation.drawing.axis import Axis
from ecm.formulation.drawing.boxes import Box, extent_of, place
from ecm.formulation.drawing.categories import LOOKS, look_of
from ecm.formulation.drawing.dates import label
from ecm.formulation.drawing.text import clean
from ecm.formulation.drawing.timeline import draw_timeline
from unit.formulation.builders import BORN, TODAY, day, entries, entry, point, span

AXIS = Axis(BORN, TODAY)
SVG = "{http://www.w3.org/2000/svg}"


def placed(*given: records.TimelineEntry) -> list[Box]:
    return place([(UUID(int=number), found) for number, found in enumerate(given)], AXIS, 100)


def drawn(*given: records.TimelineEntry) -> ET.Element:
    return ET.fromstring(draw_timeline([(UUID(int=n), found) for n, found in enumerate(given)], BORN, TODAY))


@given(st.lists(entries(), max_size=40))
@settings(max_examples=60, deadline=None)
def test_boxes_never_overlap_and_none_is_lost(given_entries: list[records.TimelineEntry]) -> None:
    boxes = placed(*given_entries)
    assert sorted(box.entry_id.int for box in boxes) == list(range(len(given_entries)))
    for one, other in combinations(boxes, 2):
        apart = one.taken[1] <= other.taken[0] or other.taken[1] <= one.taken[0]
        assert apart or one.bottom <= other.top or other.bottom <= one.top
    for box in boxes:
        assert AXIS.left <= box.left
        assert box.left <= box.extent.left or not box.entry.period.span


@given(st.lists(entries(), max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_text_makes_well_formed_xml_that_shows_every_entry(given_entries: list[records.TimelineEntry]) -> None:
    root = drawn(*given_entries)
    titles = [title.text or "" for title in root.iter(f"{SVG}title")][1:]
    assert len(titles) == len(given_entries)
    for found in given_entries:
        assert any(clean(found.text.text) in title and clean(label(found.period)) in title for title in titles)
    assert not [element for element in root.iter() if element.tag.endswith(("script", "image", "foreignObject"))]


@given(st.lists(entries(), max_size=8), st.dates(BORN, TODAY))
@settings(max_examples=30, deadline=None)
def test_the_same_entries_give_the_same_bytes_in_any_order(
    given_entries: list[records.TimelineEntry], today: object
) -> None:
    keyed = [(UUID(int=number), found) for number, found in enumerate(given_entries)]
    assert draw_timeline(keyed, BORN, today) == draw_timeline(keyed[::-1], BORN, today)  # type: ignore[arg-type]


def test_the_axis_begins_the_year_before_birth_and_ends_with_the_present() -> None:
    texts = ["".join(text.itertext()) for text in drawn().iter(f"{SVG}text")]
    assert [text for text in texts if len(text) == 4 and text.isdigit()][::2] == [
        str(year) for year in range(2011, 2028)
    ]
    assert {str(age) for age in range(15)} <= set(texts)
    assert "15" not in texts


def test_ages_stand_at_the_birthdays_place_in_the_year() -> None:
    age, x = list(AXIS.birthdays())[3]
    assert age == 3
    assert AXIS.x_of_year(2015) < x < AXIS.x_of_year(2015) + 0.06 * (AXIS.x_of_year(2016) - AXIS.x_of_year(2015))
    assert dict(Axis(BORN.replace(month=2, day=29), TODAY).birthdays())[1] == AXIS.x(BORN.replace(2013, 3, 1))


def test_what_began_before_the_axis_or_goes_on_opens_at_its_edge() -> None:
    since = extent_of(span(day(2002), None), AXIS)
    assert (since.opens_left, since.opens_right) == (True, True)
    assert (since.left, since.right) == (AXIS.left, AXIS.now)
    forgotten = extent_of(span(None, day(2014, 5)), AXIS)
    assert (forgotten.opens_left, forgotten.opens_right) == (True, False)
    inside = extent_of(span(day(2013), day(2014)), AXIS)
    assert (inside.opens_left, inside.opens_right) == (False, False)


def test_no_more_precision_is_drawn_than_is_known() -> None:
    year = extent_of(point(2015), AXIS)
    assert (year.left, year.right) == (AXIS.x_of_year(2015), AXIS.x_of_year(2016))
    assert year.sure is None
    lasted = extent_of(span(day(2014), day(2016, 3)), AXIS)
    assert lasted.sure == (AXIS.x_of_year(2015), AXIS.x(day_of(2016, 3, 1)))


def day_of(year: int, month: int, number: int) -> object:
    return BORN.replace(year, month, number)


def test_dates_are_written_as_they_were_given() -> None:
    assert label(span(day(2013, 11, 20), day(2013, 12, 18), "20/11-18/12")) == "20/11-18/12"
    assert label(point(2013)) == "2013"
    assert label(point(2013, 10)) == "Oct. 2013"
    assert label(point(2013, 10, 3)) == "3 Oct. 2013"
    assert label(span(day(2013, 9), day(2014, 7))) == "Sept. 2013 – July 2014"
    assert label(span(day(2013), None)) == "since 2013"
    assert label(span(None, day(2013))) == "until 2013"


def test_suspected_differs_by_border_and_words() -> None:
    known, suspected = (
        drawn(entry("Fell", point(2015), certainty=sure))
        for sure in (records.CERTAINTY_KNOWN, records.CERTAINTY_SUSPECTED)
    )
    assert "suspected" in " ".join(suspected.itertext()).replace("known suspected", "")
    dashed = [len(root.findall(f".//{SVG}rect[@stroke-dasharray='6 4']")) for root in (known, suspected)]
    assert dashed == [1, 2]


def test_groups_differ_by_more_than_colour() -> None:
    assert len({look.pattern for look in LOOKS}) == len({look.name for look in LOOKS}) == len(LOOKS)
    for kind in records.TimelineKind.values()[1:]:
        assert look_of(kind).name in "".join(drawn(entry("x", point(2015), kind=kind)).itertext())


def test_who_told_it_is_said() -> None:
    told = entry("Fell", point(2015), contributed_by_role="social worker")
    assert "Told by social worker of la-eastvale." in " ".join(drawn(told).itertext())
