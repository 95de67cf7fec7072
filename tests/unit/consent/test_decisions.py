"""Default deny; deny beats permit; why, in plain words."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from ecm.api.common.v1 import values_pb2
from ecm.consent.model.decide import Decision, decide
from ecm.consent.model.dossier import Circulation, Contribution, Dossier, Invitation, Overridden
from ecm.consent.model.grants import Category, OneRecord, Patient, Target
from unit.consent.builders import (
    AT,
    COUNCIL,
    CUSTODY,
    EXPIRED,
    PSYCHOLOGY,
    REFUSED,
    START,
    WITHDRAWN,
    consented,
    dossier,
    example_lines,
    line,
)

FULL, UNPROTECTED, MINIMUM = values_pb2.VIEW_FULL, values_pb2.VIEW_UNPROTECTED, values_pb2.VIEW_MINIMUM
REFERRAL = Category(values_pb2.CATEGORY_REFERRAL)
REPORT = Category(values_pb2.CATEGORY_REPORT)
ADDRESS, ADOPTION = values_pb2.PROTECTED_KIND_ADDRESS, values_pb2.PROTECTED_KIND_ADOPTION_IDENTITY
INVITED = Invitation("invitation", "meeting", "case", COUNCIL)
CIRCULATED = Circulation("report", "case", COUNCIL)
POSTED = Contribution("posted", "case", COUNCIL)


def ask(held: Dossier, agency: str, target: Target, **more: Any) -> Decision:
    lines = more.pop("lines", example_lines())
    return decide(held, lines, agency, target, purpose=more.pop("purpose", "direct-care"), at=more.pop("at", AT))


def overridden(**more: Any) -> Overridden:
    categories = frozenset({REFERRAL.category})
    return Overridden("override", CUSTODY, categories, START, AT + timedelta(hours=1), **more)


def test_nobody_sees_anything_by_default() -> None:
    for agency in (PSYCHOLOGY, COUNCIL, CUSTODY):
        for target in (*map(Category, values_pb2.Category.values()), Patient(), OneRecord("anything")):
            assert not ask(dossier(), agency, target).permitted


def test_a_given_consent_opens_the_lines_of_who_it_names() -> None:
    held = dossier(consented(said_on=date(2026, 3, 3)))
    assert ask(held, PSYCHOLOGY, REFERRAL) == Decision(
        True,
        FULL,
        "Seen: agreement invented-1 line referral is in force and the consent given on 3 March 2026 names the agency.",
    )
    assert not ask(held, COUNCIL, REFERRAL).permitted
    assert ask(held, PSYCHOLOGY, Patient()).view == FULL


@pytest.mark.parametrize("state", [REFUSED, WITHDRAWN])
def test_a_no_denies_even_beside_a_yes_of_another_case(state: Any) -> None:
    refused = consented(state, consent_id="no", case_id="other", ordinal=2, said_by="the child")
    held = dossier(consented(), refused, cases={"case": True, "other": False})
    decision = ask(held, PSYCHOLOGY, REFERRAL)
    assert not decision.permitted
    assert "by the child" in decision.reason


def test_a_no_leaves_what_doesnt_rest_on_consent() -> None:
    held = dossier(consented(WITHDRAWN), circulations=(CIRCULATED,), invitations=(INVITED,))
    assert ask(held, COUNCIL, OneRecord("report")).permitted
    assert ask(held, COUNCIL, OneRecord("invitation")).permitted


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (dossier(consented(EXPIRED)), "expired"),
        (dossier(consented(valid_until=AT)), "has expired"),
        (dossier(consented(), cases={"case": False}), "closed"),
        (dossier(consented(question_reopened=True)), "in question"),
        (dossier(consented(recipients=frozenset({"another"}))), "doesn't name"),
        (dossier(), "none was given"),
    ],
)
def test_every_refusal_says_why(held: Dossier, words: str) -> None:
    decision = ask(held, PSYCHOLOGY, REFERRAL)
    assert not decision.permitted
    assert words in decision.reason


def test_a_line_holds_between_its_dates_and_for_its_purposes() -> None:
    held = dossier(consented())
    later = [line(PSYCHOLOGY, "REFERRAL", valid_from=AT + timedelta(seconds=1))]
    ended = [line(PSYCHOLOGY, "REFERRAL", valid_until=AT)]
    for lines in (later, ended):
        assert "in force" in ask(held, PSYCHOLOGY, REFERRAL, lines=lines).reason
    assert "purpose" in ask(held, PSYCHOLOGY, REFERRAL, purpose="research").reason


def test_a_report_line_that_needs_circulation_opens_by_circulation_alone() -> None:
    held = dossier(consented(), circulations=(CIRCULATED,))
    assert not ask(held, COUNCIL, REPORT).permitted
    assert ask(held, COUNCIL, OneRecord("report")) == Decision(
        True,
        FULL,
        "Seen: agreement invented-1 line report is in force, the record is the agency's by circulation; "
        "the line doesn't need consent.",
    )
    assert ask(held, COUNCIL, Patient()).view == MINIMUM
    assert not ask(held, COUNCIL, OneRecord("another-report")).permitted


def test_who_isnt_invited_sees_no_invitation_though_there_is_an_agreement() -> None:
    invitation = Category(values_pb2.CATEGORY_INVITATION)
    assert not ask(dossier(), COUNCIL, invitation).permitted
    held = dossier(invitations=(INVITED,))
    assert not ask(held, COUNCIL, invitation).permitted
    assert all(ask(held, COUNCIL, OneRecord(record_id)).permitted for record_id in ("meeting", "invitation"))
    assert ask(held, COUNCIL, Patient()).view == MINIMUM
    assert not ask(held, CUSTODY, OneRecord("meeting")).permitted


def test_own_posts_rest_on_the_invitation_line_and_go_with_the_consent_where_it_needs_one() -> None:
    held = dossier(contributions=(POSTED, replace(POSTED, record_id="own", agency=PSYCHOLOGY)))
    assert ask(held, COUNCIL, OneRecord("posted")).permitted
    assert not ask(held, COUNCIL, OneRecord("own")).permitted
    assert not ask(held, PSYCHOLOGY, OneRecord("own")).permitted
    assert ask(replace(held, consents=(consented(),)), PSYCHOLOGY, OneRecord("own")).permitted


def test_own_posts_open_no_patient_once_the_invitation_is_gone() -> None:
    assert ask(dossier(contributions=(POSTED,), invitations=(INVITED,)), COUNCIL, Patient()).view == MINIMUM
    uninvited = dossier(contributions=(POSTED,))
    assert ask(uninvited, COUNCIL, OneRecord("posted")).permitted
    assert not ask(uninvited, COUNCIL, Patient()).permitted


def test_closing_the_case_ends_what_was_opened_under_it() -> None:
    held = dossier(invitations=(INVITED,), circulations=(CIRCULATED,), contributions=(POSTED,), cases={"case": False})
    assert not any(ask(held, COUNCIL, OneRecord(r)).permitted for r in ("meeting", "report", "posted"))


def test_a_withheld_record_is_nobodys() -> None:
    held = dossier(invitations=(INVITED,), circulations=(CIRCULATED,), withheld=frozenset({"report", "meeting"}))
    assert not ask(held, COUNCIL, OneRecord("report")).permitted
    assert not ask(held, COUNCIL, OneRecord("meeting")).permitted
    assert ask(held, COUNCIL, OneRecord("invitation")).permitted


def test_protection_puts_who_isnt_named_for_all_of_it_on_unprotected() -> None:
    held = dossier(consented(), flags={ADDRESS: frozenset({PSYCHOLOGY}), ADOPTION: frozenset()})
    decision = ask(held, PSYCHOLOGY, REFERRAL)
    assert (decision.permitted, decision.view) == (True, UNPROTECTED)
    assert "adoption identity" in decision.reason
    named = dossier(consented(), flags={ADDRESS: frozenset({PSYCHOLOGY, COUNCIL})})
    assert ask(named, PSYCHOLOGY, REFERRAL).view == FULL


def test_minimum_isnt_opened_where_an_adoption_identity_hides() -> None:
    held = dossier(circulations=(CIRCULATED,), flags={ADOPTION: frozenset()})
    assert not ask(held, COUNCIL, Patient()).permitted
    assert ask(held, COUNCIL, OneRecord("report")).view == UNPROTECTED
    assert ask(replace(held, flags={ADDRESS: frozenset()}), COUNCIL, Patient()).view == MINIMUM


def test_an_override_needs_neither_agreement_nor_consent_and_ends() -> None:
    held = dossier(consented(WITHDRAWN), overrides=(overridden(),))
    assert ask(held, CUSTODY, REFERRAL, purpose="safeguarding").view == FULL
    assert ask(held, CUSTODY, Patient()).view == FULL
    assert not ask(held, CUSTODY, REPORT).permitted
    assert not ask(held, CUSTODY, REFERRAL, at=AT + timedelta(hours=1)).permitted


def test_a_restriction_denies_an_override_too_unless_it_names_it() -> None:
    flags: Any = {ADDRESS: frozenset()}
    assert ask(dossier(overrides=(overridden(),), flags=flags), CUSTODY, REFERRAL).view == UNPROTECTED
    naming = overridden(names_protected=frozenset({ADDRESS}))
    assert ask(dossier(overrides=(naming,), flags=flags), CUSTODY, REFERRAL).view == FULL


def test_third_parties_need_their_own_basis_and_consent() -> None:
    sensitive = Category(values_pb2.CATEGORY_FAMILY_SENSITIVE)
    bare = replace(line(PSYCHOLOGY, "FAMILY_SENSITIVE"), third_party_basis="")
    careless = line(PSYCHOLOGY, "FAMILY_SENSITIVE", consent=False)
    for faulty in (bare, careless):
        assert not ask(dossier(consented()), PSYCHOLOGY, sensitive, lines=[faulty]).permitted
    assert ask(dossier(consented()), PSYCHOLOGY, sensitive).permitted


def test_a_child_whose_file_isnt_known_is_nobodys() -> None:
    held = replace(dossier(consented(), overrides=(overridden(),)), known=False)
    assert not ask(held, CUSTODY, REFERRAL).permitted
