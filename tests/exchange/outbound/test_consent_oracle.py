"""From consents, agreements, invitations, circulations and restrictions to what each agency gets, however it asks.

What is generated goes the real way: `consent` compiles it, `ApplyRegion` and `ApplyGrants` store it, the server
answers from the database. The oracle (`sees`) is written from the rules of practice, and shares nothing with either.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ecm.api.common.v1 import values_pb2 as values
from ecm.api.consent.v1 import consent_records_pb2 as records
from ecm.consent.model import dossier as dossiers
from ecm.consent.model.grants import compile_grants
from ecm.consent.wire import child_set, region_set
from ecm.exchange.grants import Grants
from ecm.exchange.streams.numbering import Numbering
from ecm.exchange.streams.reconcile import Reconciliation
from ecm.kit.clock import SystemClock
from ecm.kit.db.engine import make_engine
from ecm.kit.ids import RandomIds
from exchange.outbound.world import BASE, COUNCIL, PSYCHOLOGY, PURPOSE, FakeLease, Server, World, link, matches

AGENCIES = (PSYCHOLOGY, COUNCIL)
CATEGORIES = ("invitation", "referral", "report", "health", "social-care", "family-sensitive")
CASES = ("first", "second")
ENDED = ("refused", "withdrawn")
VERSIONS = count(1)
NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Line:
    recipient: str
    category: str
    needs_consent: bool
    needs_circulation: bool
    in_force: bool
    third_party_basis: bool


@dataclass(frozen=True)
class Consent:
    case: str
    state: str
    recipients: frozenset[str]
    expired: bool
    in_question: bool


@dataclass(frozen=True)
class Scenario:
    lines: list[Line]
    open_cases: frozenset[str]
    consents: list[Consent]
    flags: dict[str, frozenset[str]]  # protected kind → agencies named for it
    invited: dict[str, str]  # agency → case
    circulated: dict[str, str]
    contributed: dict[str, str]
    withheld: frozenset[str]  # names of records


@dataclass(frozen=True)
class Resource:
    type: str
    record: str
    categories: tuple[str, ...]
    views: tuple[int, ...] = (2, 3)
    only_for: str | None = None


RESOURCES = (
    Resource("Patient", "child", (), (1, 2, 3)),
    Resource("Observation", "form", ("referral",)),
    Resource("Observation", "entry", ("health",)),
    Resource("Appointment", "meeting", ("invitation",)),
    Resource("Task", f"invitation of {PSYCHOLOGY}", ("invitation",), only_for=PSYCHOLOGY),
    Resource("Task", f"invitation of {COUNCIL}", ("invitation",), only_for=COUNCIL),
    Resource("DocumentReference", "report", ("report",)),
    Resource("DocumentReference", f"contribution of {COUNCIL}", ("social-care", "family-sensitive"), (3,)),
)
RECORDS = tuple(one.record for one in RESOURCES if one.type != "Patient")


def sees(scenario: Scenario, agency: str, resource: Resource) -> int | None:
    """The oracle: in which view the agency gets the resource (1 minimum, 2 unprotected, 3 full), or None."""
    view = 3 if all(agency in named for named in scenario.flags.values()) else 2

    def consented(case: str | None = None) -> bool:
        """A consent in force names the agency, and no refusal or withdrawal stands beside it."""
        good = [c for c in scenario.consents if c.state == "given" and not c.expired and not c.in_question]
        named = [c for c in good if agency in c.recipients and c.case in scenario.open_cases and case in (None, c.case)]
        return bool(named) and not any(c.state in ENDED for c in scenario.consents)

    def line(category: str, case: str | None = None) -> Line | None:
        """The agency's line of the category, where its own conditions are met."""
        mine = [one for one in scenario.lines if (one.recipient, one.category) == (agency, category) and one.in_force]
        met = [one for one in mine if consented(case) or (not one.needs_consent and (case or scenario.open_cases))]
        sensitive = category == "family-sensitive"
        return next((o for o in met if not sensitive or (o.needs_consent and o.third_party_basis)), None)

    def category(name: str) -> bool:
        found = line(name)
        return bool(found and not found.needs_circulation and (found.needs_consent or name != "invitation"))

    def by_record(how: dict[str, str], record: str, needs: str) -> bool:
        case = how.get(agency)
        return case in scenario.open_cases and record not in scenario.withheld and bool(line(needs, case))

    invited = by_record(scenario.invited, f"invitation of {agency}", "invitation")
    circulated = by_record(scenario.circulated, "report", "report")
    authored = by_record(scenario.contributed, f"contribution of {agency}", "invitation")
    opened = {"meeting": invited, f"invitation of {agency}": invited, "report": circulated}
    opened[f"contribution of {agency}"] = authored
    if resource.type == "Patient":
        hidden = agency not in scenario.flags.get("adoption", AGENCIES)
        return view if any(map(category, CATEGORIES)) else (1 if (invited or circulated) and not hidden else None)
    if resource.record in scenario.withheld or resource.only_for not in (None, agency):
        return None
    found = opened.get(resource.record) or all(map(category, resource.categories))
    return view if found and view in resource.views else None


_agencies, _cases = st.sampled_from(AGENCIES), st.sampled_from(CASES)
_often = st.sampled_from((True, True, True, False))
_lines = st.builds(
    Line, _agencies, st.sampled_from(CATEGORIES), st.booleans(), st.sampled_from((False, False, True)), _often, _often
)
_some = st.sets(_agencies).map(frozenset)
_states = st.sampled_from(("given", "given", "given", "withdrawn", "refused", "superseded"))
_seldom = st.sampled_from((*[False] * 7, True))
_named = st.sampled_from((frozenset(AGENCIES), frozenset(AGENCIES), frozenset({PSYCHOLOGY}), frozenset({COUNCIL})))
_by_agency = st.dictionaries(_agencies, _cases)
_scenarios = st.builds(
    Scenario,
    lines=st.lists(_lines, min_size=4, max_size=12, unique_by=lambda one: (one.recipient, one.category)),
    open_cases=st.sampled_from((frozenset(CASES), frozenset(CASES), frozenset({"first"}), frozenset())),
    consents=st.lists(st.builds(Consent, _cases, _states, _named, _seldom, _seldom), max_size=3),
    flags=st.dictionaries(st.sampled_from(("address", "adoption")), _some, max_size=1),
    invited=_by_agency,
    circulated=_by_agency,
    contributed=st.dictionaries(st.just(COUNCIL), _cases),
    withheld=st.sets(st.sampled_from(RECORDS), max_size=1).map(frozenset),
)


class Told:
    """The scenario as `consent` knows it, with ids; and stored the way that a region stores it."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.child = uuid4()
        self.cases = {name: str(uuid4()) for name in CASES}
        self.records = {name: uuid4() for name in RECORDS} | {"child": self.child}
        self.ids: dict[Resource, UUID] = {}

    def lines(self) -> list[dossiers.Line]:
        return [self._line(one) for one in self.scenario.lines]

    def _line(self, one: Line) -> dossiers.Line:
        return dossiers.Line(
            line_id=str(uuid4()),
            agreement="generated",
            recipient=one.recipient,
            category=values.Category.Value(f"CATEGORY_{one.category.upper().replace('-', '_')}"),
            needs_consent=one.needs_consent,
            needs_circulation=one.needs_circulation,
            purposes=frozenset({PURPOSE}),
            valid_from=NOW - timedelta(days=9),
            valid_until=None if one.in_force else NOW - timedelta(days=1),
            third_party_basis="basis" if one.third_party_basis else "",
        )

    def dossier(self) -> dossiers.Dossier:
        said = self.scenario
        record = {name: str(found) for name, found in self.records.items()}
        kinds = {"address": values.PROTECTED_KIND_ADDRESS, "adoption": values.PROTECTED_KIND_ADOPTION_IDENTITY}
        return dossiers.Dossier(
            child_id=str(self.child),
            cases={self.cases[name]: name in said.open_cases for name in CASES},
            consents=tuple(self._consent(number, one) for number, one in enumerate(said.consents, start=1)),
            flags={kinds[kind]: named for kind, named in said.flags.items()},
            invitations=tuple(
                dossiers.Invitation(record[f"invitation of {agency}"], record["meeting"], self.cases[case], agency)
                for agency, case in said.invited.items()
            ),
            circulations=tuple(
                dossiers.Circulation(record["report"], self.cases[case], agency)
                for agency, case in said.circulated.items()
            ),
            contributions=tuple(
                dossiers.Contribution(record[f"contribution of {agency}"], self.cases[case], agency)
                for agency, case in said.contributed.items()
            ),
            withheld=frozenset(record[name] for name in said.withheld),
        )

    def _consent(self, ordinal: int, one: Consent) -> dossiers.Consented:
        return dossiers.Consented(
            consent_id=str(uuid4()),
            case_id=self.cases[one.case],
            state=records.ConsentState.Value(f"CONSENT_STATE_{one.state.upper()}"),
            recipients=one.recipients,
            ordinal=ordinal,
            valid_until=NOW - timedelta(hours=1) if one.expired else None,
            question_reopened=one.in_question,
        )

    async def store(self, world: World, grants: Grants, clients: Any) -> None:
        await world.sql.execute("DELETE FROM resource")
        lines, dossier = self.lines(), self.dossier()
        region = region_set(lines, clients, frozenset())
        child = child_set(str(self.child), compile_grants(dossier, lines), dossier.withheld)
        for one in (region, child):
            one.epoch, one.version = 1, next(VERSIONS)
        await grants.apply_region(region)
        await grants.apply_child(child)
        for resource in RESOURCES:
            self.ids[resource] = await world.resource(
                self.child,
                resource.type,
                categories=resource.categories,
                record=self.records[resource.record],
                only_for=resource.only_for,
                views={view: {"language": f"x-{view}"} for view in resource.views},
            )


async def pages(server: Server, url: str, agency: str) -> list[tuple[str, int]]:
    """What all pages hold together: (id, view)."""
    found, following = [], url
    while following:
        answer = await server.get(following, agency)
        if answer.status_code == 404:
            return []
        found += [(one["id"], int(one["language"][-1])) for one in matches(answer)]
        following = link(answer, "next") or ""
    return sorted(found)


@settings(
    max_examples=60,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(scenario=_scenarios, page=st.integers(1, 3))
async def test_each_agency_gets_what_practice_lets_it(
    urls: dict[str, str], world: World, server: Server, scenario: Scenario, page: int
) -> None:
    engine = make_engine(urls["app"], pool_size=2, app_name="oracle")
    try:
        told = Told(scenario)
        lease = FakeLease()
        numbering = Numbering(RandomIds(), b"k" * 32)
        grants = Grants(engine, SystemClock(), Reconciliation(engine, numbering, lease))
        await told.store(world, grants, server.api.region.clients)
        for agency in AGENCIES:
            await _compare(server, told, agency, page)
    finally:
        await engine.dispose()


async def _compare(server: Server, told: Told, agency: str, page: int) -> None:
    visible = {one: sees(told.scenario, agency, one) for one in RESOURCES}
    for one, view in visible.items():
        answer = await server.get(f"{one.type}/{told.ids[one]}", agency)
        got = int(answer.json()["language"][-1]) if answer.status_code == 200 else None
        assert got == view, (agency, one)
    for kind in {one.type for one in RESOURCES}:
        expected = sorted((str(told.ids[one]), view) for one, view in visible.items() if view and one.type == kind)
        assert await pages(server, f"{BASE}/{kind}?_count={page}", agency) == expected, (agency, kind)
    patient = next(one for one in RESOURCES if one.type == "Patient")
    everything = sorted((str(told.ids[one]), view) for one, view in visible.items() if view)
    url = f"{BASE}/Patient/{told.ids[patient]}/$everything?_count={page}"
    assert await pages(server, url, agency) == (everything if visible[patient] else []), agency
