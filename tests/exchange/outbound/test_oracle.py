"""The oracle: what each agency gets in each view, by read, search, $everything and paging, compared with a few lines.

Grants, agreement lines, restrictions and resources are generated; the database, the server and the statements are real.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from exchange.outbound.world import BASE, COUNCIL, PSYCHOLOGY, PURPOSE, Server, World, link, matches

AGENCIES = (PSYCHOLOGY, COUNCIL)
CATEGORIES = ("referral", "health", "family")
TIMES = ("now", "now", "now", "past", "future")
CHILDREN = RECORDS = range(2)
MATCHING = (PURPOSE, "research")


@dataclass
class Line:
    recipient: str
    time: str
    purpose: str
    id: UUID = field(default_factory=uuid4)


@dataclass
class Grant:
    child: int
    recipient: str
    target: str  # "patient", "record 0", "record 1" or a category
    view: int
    time: str
    line: int | None  # index into the lines; None: an override
    purposes: tuple[str, ...]


@dataclass
class Resource:
    child: int | None
    type: str
    categories: tuple[str, ...]
    record: int
    views: frozenset[int]
    only_for: str | None
    hidden: bool
    id: UUID = field(default_factory=uuid4)


@dataclass
class Case:
    lines: list[Line]
    grants: list[Grant]
    resources: list[Resource]
    withheld: set[tuple[int, int]]


def open_in(case: Case, resource: Resource, agency: str) -> int | None:
    """The oracle: in which view the agency gets the resource, or None."""
    if resource.hidden or resource.only_for not in (None, agency):
        return None
    if resource.child is None:
        return None if resource.type == "Bundle" else 3  # no document is the directory's
    if (resource.child, resource.record) in case.withheld:
        return None
    live = [one for one in case.grants if one.child == resource.child and one.recipient == agency and _live(case, one)]

    def widest(target: str) -> int:
        return max((one.view for one in live if one.target == target), default=0)

    if resource.type == "Bundle" and not widest("patient"):
        return None  # the child's Patient stands in it
    if resource.type == "Patient":
        view = widest("patient")
    else:
        by_category = min((widest(category) for category in resource.categories), default=0)
        view = max(widest(f"record {resource.record}"), by_category)
    return view if view in resource.views else None


def _live(case: Case, grant: Grant) -> bool:
    if grant.time != "now" or (grant.purposes and PURPOSE not in grant.purposes):
        return False
    if grant.line is None:
        return True
    if grant.line >= len(case.lines):
        return False
    line = case.lines[grant.line]
    return line.recipient == grant.recipient and line.time == "now" and line.purpose == PURPOSE


_agencies, _times = st.sampled_from(AGENCIES), st.sampled_from(TIMES)
_categories = st.lists(st.sampled_from(CATEGORIES), max_size=2, unique=True).map(tuple)
_lines = st.builds(Line, recipient=_agencies, time=_times, purpose=st.sampled_from((*MATCHING, PURPOSE)))
_grants = st.builds(
    Grant,
    child=st.sampled_from(CHILDREN),
    recipient=_agencies,
    target=st.sampled_from(("patient", "patient", "record 0", "record 1", *CATEGORIES, *CATEGORIES)),
    view=st.integers(1, 3),
    time=_times,
    line=st.one_of(st.none(), st.integers(0, 3)),
    purposes=st.sampled_from(((), (PURPOSE,), (PURPOSE, "research"), ("research",))),
)
_resources = st.builds(
    Resource,
    child=st.sampled_from((None, *CHILDREN, *CHILDREN)),
    type=st.sampled_from(("Observation", "Observation", "DocumentReference", "Bundle")),
    categories=_categories,
    record=st.sampled_from(RECORDS),
    views=st.sampled_from((frozenset({2, 3}), frozenset({2, 3}), frozenset({3}), frozenset({1, 2, 3}))),
    only_for=st.sampled_from((None, None, None, *AGENCIES)),
    hidden=st.sampled_from((False, False, False, True)),
)
_cases = st.builds(
    Case,
    lines=st.lists(_lines, min_size=1, max_size=4),
    grants=st.lists(_grants, min_size=2, max_size=12),
    resources=st.lists(_resources, min_size=1, max_size=8),
    withheld=st.sets(st.tuples(st.sampled_from(CHILDREN), st.sampled_from(RECORDS)), max_size=1),
)


class _Stored:
    """The case in the database: which UUIDs its children and records have."""

    def __init__(self, world: World, case: Case) -> None:
        self.world, self.case = world, case
        self.children = [uuid4() for _ in CHILDREN]
        self.records = [uuid4() for _ in RECORDS]

    async def store(self) -> None:
        async with self.world.sql.transaction():
            for table in ("grants", "withheld", "line", "resource", "resource_version"):
                await self.world.sql.execute(f"DELETE FROM {table}")
            for line in self.case.lines:
                await self._line(line)
            for grant in self.case.grants:
                await self._grant(grant)
            for resource in self.case.resources:
                await self._resource(resource)
            for child, record in self.case.withheld:
                await self.world.sql.execute(
                    "INSERT INTO withheld VALUES ($1, $2)", self.children[child], self.records[record]
                )

    async def _line(self, line: Line) -> None:
        since, until = _span(line.time)
        await self.world.sql.execute(
            "INSERT INTO line VALUES ($1, $2, 'any', $3, $4, $5, 'agreement', 'basis')",
            *(line.id, line.recipient, [line.purpose], since, until),
        )

    async def _grant(self, grant: Grant) -> None:
        since, until = _span(grant.time)
        known = grant.line is not None and grant.line < len(self.case.lines)
        await self.world.grant(
            self.children[grant.child],
            grant.recipient,
            grant.target if grant.target in CATEGORIES else None,
            record=self.records[int(grant.target[-1])] if grant.target.startswith("record") else None,
            patient=grant.target == "patient",
            view=grant.view,
            line=self.case.lines[grant.line or 0].id if known else (uuid4() if grant.line is not None else None),
            override=uuid4() if grant.line is None else None,
            purposes=grant.purposes,
            since=since,
            until=until,
        )

    async def _resource(self, one: Resource) -> None:
        child = None if one.child is None else self.children[one.child]
        await self.world.resource(
            child,
            one.type,
            resource_id=one.id,
            categories=one.categories,
            record=self.records[one.record],
            only_for=one.only_for,
            views={view: {"language": f"x-{view}"} for view in one.views},
            status="final",
        )
        if one.hidden:
            await self.world.sql.execute("UPDATE resource SET hidden = true WHERE id = $1", one.id)


def _span(time: str) -> tuple[datetime, datetime]:
    now, day = datetime.now(UTC), timedelta(days=1)
    starts = {"now": now - day, "past": now - 2 * day, "future": now + day}
    return starts[time], {"now": now + day, "past": now - day, "future": now + 2 * day}[time]


def _got(resource: dict[str, Any]) -> tuple[str, int]:
    return resource["id"], int(resource["language"][-1])


async def _pages(server: Server, url: str, agency: str) -> tuple[list[tuple[str, int]], set[int]]:
    """What all pages hold together, and the totals that they named."""
    found, totals = [], set()
    following: str | None = url
    while following:
        answer = await server.get(following, agency)
        if answer.status_code == 404:
            return [], {0}
        found += [_got(one) for one in matches(answer)]
        totals.add(answer.json()["total"])
        following = link(answer, "next")
    return found, totals


def _with_patients(case: Case) -> list[Resource]:
    patients = [Resource(child, "Patient", (), 0, frozenset({1, 2, 3}), None, False) for child in CHILDREN]
    case.resources = [*patients, *case.resources]
    return patients


@settings(
    max_examples=40,
    deadline=None,
    # Shrinking takes minutes on a database; what is generated is small enough to read.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(case=_cases, count=st.integers(1, 4))
async def test_every_way_of_asking_gives_what_the_oracle_says(
    world: World, server: Server, case: Case, count: int
) -> None:
    patients = _with_patients(case)
    stored = _Stored(world, case)
    await stored.store()
    for agency in AGENCIES:
        visible = {one.id: open_in(case, one, agency) for one in case.resources}
        for one in case.resources:
            answer = await server.get(f"{one.type}/{one.id}", agency)
            got = _got(answer.json())[1] if answer.status_code == 200 else None
            assert got == visible[one.id], (agency, one)
        for kind in ("Patient", "Observation", "DocumentReference"):
            expected = sorted((str(i), v) for i, v in visible.items() if v and _type(case, i) == kind)
            found, totals = await _pages(server, f"{BASE}/{kind}?_count={count}", agency)
            assert (sorted(found), totals) == (expected, {len(expected)}), (agency, kind)
            counted = await server.get(f"{kind}?_summary=count", agency)
            assert counted.json()["total"] == len(expected)
        for patient in patients:
            mine = [one for one in case.resources if one.child == patient.child]
            seen = visible[patient.id] is not None
            expected = sorted((str(o.id), v) for o in mine if seen and (v := visible[o.id]))
            found, totals = await _pages(server, f"{BASE}/Patient/{patient.id}/$everything?_count={count}", agency)
            assert (sorted(found), totals) == (expected, {len(expected)}), (agency, patient)


def _type(case: Case, resource_id: UUID) -> str:
    return next(one.type for one in case.resources if one.id == resource_id)
