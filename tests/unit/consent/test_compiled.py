"""`decide` and the compiled grants are the same rules: held against each other over generated dossiers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ecm.api.common.v1 import values_pb2
from ecm.api.consent.v1 import consent_records_pb2 as records
from ecm.consent.model.decide import NO_VIEW, decide
from ecm.consent.model.dossier import Circulation, Consented, Contribution, Dossier, Invitation, Line, Overridden
from ecm.consent.model.grants import Category, Grant, OneRecord, Patient, Target, compile_grants
from ecm.consent.model.words import CATEGORIES
from unit.consent.builders import AT, consented, dossier, example_lines, line

AGENCIES = ("psychology", "council", "custody")
CASES = ("case-1", "case-2")
PROTECTED_KINDS = tuple(values_pb2.ProtectedKind.values())[1:]
PURPOSES = ("direct-care", "safeguarding")
INSTANTS = tuple(AT + timedelta(days=days) for days in (-20, -10, 0, 10, 20))
TARGETS: tuple[Target, ...] = (
    *map(Category, CATEGORIES),
    *map(OneRecord, ("r1", "r2", "r3", "meeting", "elsewhere")),
    Patient(),
)

agency, case_id = st.sampled_from(AGENCIES), st.sampled_from(CASES)
agencies = st.frozensets(agency, max_size=3)
instant, until = st.sampled_from(INSTANTS), st.none() | st.sampled_from(INSTANTS)
record_id = st.sampled_from(("r1", "r2", "r3"))
kinds = st.frozensets(st.sampled_from(PROTECTED_KINDS), max_size=2)
few = st.sampled_from(CATEGORIES[:4] + CATEGORIES[-1:])

consents = st.builds(
    Consented,
    consent_id=st.uuids().map(str),
    case_id=case_id,
    state=st.sampled_from([records.CONSENT_STATE_GIVEN] * 5 + list(records.ConsentState.values())),
    recipients=agencies,
    ordinal=st.integers(1, 9),
    valid_until=until,
    question_reopened=st.sampled_from([False] * 5 + [True]),
)
overrides = st.builds(
    Overridden,
    override_id=st.uuids().map(str),
    recipient=agency,
    categories=st.frozensets(few, max_size=2),
    opened_at=instant,
    ends_at=instant,
    names_protected=kinds,
)
lines = st.builds(
    Line,
    line_id=st.uuids().map(str),
    agreement=st.just("invented-1"),
    recipient=agency,
    category=few,
    needs_consent=st.booleans(),
    needs_circulation=st.booleans(),
    purposes=st.frozensets(st.sampled_from(PURPOSES), min_size=1),
    valid_from=instant,
    valid_until=until,
    third_party_basis=st.sampled_from(["", "invented-basis"]),
)
dossiers = st.builds(
    Dossier,
    child_id=st.just("child"),
    known=st.sampled_from([True] * 9 + [False]),
    cases=st.dictionaries(case_id, st.sampled_from([True, True, False])),
    consents=st.lists(consents, max_size=3).map(tuple),
    flags=st.dictionaries(st.sampled_from(PROTECTED_KINDS), agencies, max_size=2),
    invitations=st.lists(
        st.builds(Invitation, record_id, st.sampled_from(["meeting", ""]), case_id, agency), max_size=2
    ).map(tuple),
    circulations=st.lists(st.builds(Circulation, record_id, case_id, agency), max_size=2).map(tuple),
    contributions=st.lists(st.builds(Contribution, record_id, case_id, agency), max_size=2).map(tuple),
    withheld=st.frozensets(record_id | st.just("meeting"), max_size=1),
    overrides=st.lists(overrides, max_size=2).map(tuple),
)


def opened_by(
    grants: Sequence[Grant], held: Sequence[Line], who: str, target: Target, *, purpose: str, at: datetime
) -> int:
    """The view that the exchange's predicate finds (contract/exchange.md), in a few lines; 0 for none."""
    in_force = {one.line_id for one in held if one.in_force(at) and purpose in one.purposes}
    views = [
        grant.view
        for grant in grants
        if (grant.recipient, grant.target) == (who, target)
        and (grant.valid_from is None or grant.valid_from <= at)
        and (grant.valid_until is None or at < grant.valid_until)
        and (not grant.purposes or purpose in grant.purposes)
        and (grant.override_id or grant.line_id in in_force)
    ]
    return max(views, default=0)


@settings(max_examples=400, deadline=None)
@given(dossiers, st.lists(lines, max_size=6), agency, st.sampled_from(PURPOSES), instant)
def test_what_is_decided_is_what_is_compiled(
    held: Dossier, agreed: list[Line], who: str, purpose: str, at: datetime
) -> None:
    grants = compile_grants(held, agreed)
    for target in TARGETS:
        decision = decide(held, agreed, who, target, purpose=purpose, at=at)
        assert decision.view == opened_by(grants, agreed, who, target, purpose=purpose, at=at), (
            target,
            decision.reason,
        )
        assert decision.permitted == (decision.view != NO_VIEW)


@settings(max_examples=200, deadline=None)
@given(
    dossiers,
    st.lists(lines, max_size=6),
    st.sampled_from([records.CONSENT_STATE_REFUSED, records.CONSENT_STATE_WITHDRAWN]),
)
def test_a_no_closes_every_line_that_needs_consent_and_no_other(held: Dossier, agreed: list[Line], state: Any) -> None:
    no = consented(state, consent_id="no", case_id="case-1", ordinal=10)
    before, after = (compile_grants(one, agreed) for one in (held, replace(held, consents=(*held.consents, no))))
    needing = {one.line_id for one in agreed if one.needs_consent}
    assert not any(grant.line_id in needing for grant in after)
    assert after == [grant for grant in before if grant.line_id not in needing]


@settings(max_examples=200, deadline=None)
@given(dossiers, st.lists(lines, max_size=6), st.sampled_from(PROTECTED_KINDS), agencies)
def test_protecting_a_kind_never_widens(held: Dossier, agreed: list[Line], kind: Any, named: frozenset[str]) -> None:
    narrower = replace(held, flags={**held.flags, kind: held.flags.get(kind, named) & named})
    for who in AGENCIES:
        for target in TARGETS:
            before, after = (decide(one, agreed, who, target, purpose="", at=AT) for one in (held, narrower))
            assert after.view <= before.view


@settings(max_examples=200, deadline=None)
@given(dossiers, st.lists(lines, max_size=6))
def test_compiling_is_deterministic_and_without_doubles(held: Dossier, agreed: list[Line]) -> None:
    grants = compile_grants(held, agreed)
    assert grants == compile_grants(held, agreed)
    assert len(set(grants)) == len(grants)


def test_the_example_region_after_consent() -> None:
    grants = compile_grants(dossier(consented(valid_until=INSTANTS[-1])), example_lines())
    assert {grant.target for grant in grants} == {*map(Category, CATEGORIES), Patient()}
    assert {(g.recipient, g.case_id, g.basis, g.view) for g in grants} == {
        ("nhs-psychology", "case", "consent", values_pb2.VIEW_FULL)
    }
    assert all(grant.valid_until == INSTANTS[-1] and grant.line_id for grant in grants)


def test_a_line_without_consent_opens_by_the_agreement_while_a_case_is_open() -> None:
    education = [line("council", "EDUCATION", consent=False)]
    assert {grant.basis for grant in compile_grants(dossier(), education)} == {"agreement"}
    assert compile_grants(dossier(cases={"case": False}), education) == []
