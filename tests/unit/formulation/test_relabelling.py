"""Which change of an entry is a narrowing: held against what the exchange makes of it."""

from hypothesis import given
from hypothesis import strategies as st

from ecm.api.common.v1.values_pb2 import ProtectedDeclaration, ProtectedKind
from ecm.api.formulation.v1 import formulation_records_pb2 as records
from ecm.exchange.mapping.categories import of_timeline
from ecm.exchange.mapping.views import USUAL_VIEWS, shows_text
from ecm.formulation.model.timeline import is_stricter
from unit.formulation.builders import entry, point


@st.composite
def labelled(draw: st.DrawFn) -> records.TimelineEntry:
    """An entry with any label."""
    kind = draw(st.sampled_from(sorted(set(records.TimelineKind.values()) - {0})))
    made = entry("Fell", point(2015), kind=kind, family_sensitive=draw(st.booleans()))
    held = draw(st.none() | st.sets(st.sampled_from(sorted(set(ProtectedKind.values()) - {0}))))
    if held is not None:
        made.text.declaration.CopyFrom(ProtectedDeclaration(holds=sorted(held)))
    return made


def seen(of: records.TimelineEntry) -> set[tuple[str, int]]:
    """In which category and view its words stand."""
    category = of_timeline(of.kind, of.family_sensitive)
    return {(category, view) for view in USUAL_VIEWS if shows_text(of.text, view)}


@given(labelled(), labelled())
def test_whatever_takes_the_words_from_anybody_is_stricter(
    old: records.TimelineEntry, new: records.TimelineEntry
) -> None:
    assert is_stricter(old, new) or seen(old) <= seen(new)


@given(labelled(), labelled())
def test_other_words_or_dates_under_the_same_label_are_an_ordinary_change(
    old: records.TimelineEntry, other: records.TimelineEntry
) -> None:
    new = records.TimelineEntry()
    new.CopyFrom(old)
    new.text.text = "Fell from a tree"
    new.period.CopyFrom(point(2016))
    assert not is_stricter(old, new)
    new.text.ClearField("declaration")
    assert not is_stricter(new, old)
