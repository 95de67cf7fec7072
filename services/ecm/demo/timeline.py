"""The guidance's own timeline, Appendix 3, shifted by whole years."""

from ecm.api.common.v1.values_pb2 import PartialDate, PartialPeriod
from ecm.api.formulation.v1 import formulation_records_pb2 as formulation
from ecm.demo.material import Subject, free

EXAMPLE_BIRTH_YEAR = 2001  # Appendix 3: the axis begins in 2000, the year before birth


def timeline(subject: Subject) -> list[formulation.TimelineEntry]:
    """The entries of Appendix 3, shifted by whole years so that the child of the example is this one."""
    shift = subject.born.year - EXAMPLE_BIRTH_YEAR
    together = f"'{(1989 + shift) % 100:02} to '{(2001 + shift) % 100:02}"
    kinds = formulation
    return [
        _entry(kinds.TIMELINE_KIND_PRE_BIRTH, _span((1989,), (2001,), shift, together), "Parents together"),
        _entry(
            kinds.TIMELINE_KIND_PARENT_CARER,
            _span((1991,), None, shift, f"since {1991 + shift}"),
            "Dad violent to Mum",
            sensitive=True,
        ),
        _entry(
            kinds.TIMELINE_KIND_PARENT_CARER,
            _span((2001, 11, 20), (2001, 12, 18), shift, "20/11-18/12"),
            "Mum put in hosp. by Dad",
            sensitive=True,
        ),
        _entry(kinds.TIMELINE_KIND_PARENTAL_RELATIONSHIP, _point((2002, 12), shift, "Dec."), "Dad left"),
        _entry(kinds.TIMELINE_KIND_SIBLING_BIRTH, _point((2002, 1), shift, "Jan."), "Joe born"),
        _entry(kinds.TIMELINE_KIND_LOSS, _point((2003, 10), shift, "Oct."), "Mat. Gran dies"),
        _entry(kinds.TIMELINE_KIND_SCHOOL, _span((2003, 9), (2004, 7), shift, "Sept. - July"), "St. Mary's nursery"),
    ]


def _entry(
    kind: "formulation.TimelineKind.ValueType", period: PartialPeriod, text: str, *, sensitive: bool = False
) -> formulation.TimelineEntry:
    return formulation.TimelineEntry(
        kind=kind,
        period=period,
        text=free(text),
        certainty=formulation.CERTAINTY_KNOWN,
        contributed_by_agency="yot-eastvale",
        contributed_by_role="case-manager",
        family_sensitive=sensitive,
    )


def _point(parts: tuple[int, ...], shift: int, written: str) -> PartialPeriod:
    return PartialPeriod(start=_partial(parts, shift), as_written=written)


def _span(start: tuple[int, ...], end: tuple[int, ...] | None, shift: int, written: str) -> PartialPeriod:
    period = PartialPeriod(start=_partial(start, shift), span=True, as_written=written)
    if end:
        period.end.CopyFrom(_partial(end, shift))
    return period


def _partial(parts: tuple[int, ...], shift: int) -> PartialDate:
    year, month, when = (*parts, 0, 0)[:3]
    return PartialDate(year=year + shift, month=month, day=when)
