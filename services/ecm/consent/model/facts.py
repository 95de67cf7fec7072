"""Facts that other services own, and the narrowings that hold until those services' records show them.

A narrowing is recorded here before its caller commits it. Until a version of
the record shows it, it overlays what is known; so an older version that comes
late, or a version made in between, never lifts it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ecm.api.common.v1 import record_pb2
from ecm.api.formulation.v1 import formulation_records_pb2 as formulation
from ecm.api.referrals.v1 import referrals_records_pb2 as referrals
from ecm.consent.model.dates import day_of
from ecm.consent.model.dossier import Circulation, Contribution, Dossier, Invitation
from ecm.consent.model.words import ProtectedCode

KINDS: dict[str, frozenset[str]] = {
    "referrals": frozenset({"CHILD", "CASE"}),
    "formulation": frozenset({"MEETING", "INVITATION", "CONTRIBUTION", "REPORT"}),
}
"""What consent follows, by the service that owns it."""

CLOSED_CASES = (referrals.CASE_STATE_CLOSED, referrals.CASE_STATE_NOT_CARRIED_FORWARD)
PROTECT, CLOSE_CASE, BIRTH_DATE, RECORD = "PROTECT", "CLOSE_CASE", "BIRTH_DATE", "RECORD"


@dataclass(frozen=True, slots=True)
class Fact:
    """One record of another service at its newest version known here. `terms`: the little that the rules need."""

    record_id: str
    kind: str
    child_id: str
    case_id: str
    yot: str
    version: int
    closed: bool
    terms: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A narrowing of another service that holds on `record_id` until a version from `version` on shows it."""

    narrowing_id: str
    kind: str
    record_id: str
    version: int
    terms: Mapping[str, Any]


def fact_of(version: record_pb2.RecordVersion) -> Fact:
    """What the rules need of a version: no names, no texts; of a closed one nothing, since it may be erased."""
    closed = version.change == record_pb2.CHANGE_CLOSED
    return Fact(
        record_id=version.record_id,
        kind=version.kind,
        child_id=version.child_id,
        case_id=version.record_id if version.kind == "CASE" else version.case_id,
        yot=version.yot,
        version=version.version,
        closed=closed,
        terms={} if closed else _TERMS[version.kind](version),
    )


def _child(version: record_pb2.RecordVersion) -> Mapping[str, Any]:
    content = referrals.Child()
    version.content.Unpack(content)
    flags = {str(flag.kind): sorted(flag.named_agencies) for flag in content.protected_flags}
    known = content.HasField("date_of_birth")
    born = day_of(content.date_of_birth, "date_of_birth").isoformat() if known else ""
    return {"date_of_birth": born, "flags": flags}


def _case(version: record_pb2.RecordVersion) -> Mapping[str, Any]:
    content = referrals.Case()
    version.content.Unpack(content)
    return {"open": content.state not in CLOSED_CASES}


def _meeting(version: record_pb2.RecordVersion) -> Mapping[str, Any]:
    return {}


def _invitation(version: record_pb2.RecordVersion) -> Mapping[str, Any]:
    content = formulation.Invitation()
    version.content.Unpack(content)
    return {"meeting_id": content.meeting_id, "agency": content.agency}


def _contribution(version: record_pb2.RecordVersion) -> Mapping[str, Any]:
    content = formulation.Contribution()
    version.content.Unpack(content)
    return {"agency": content.agency}


def _report(version: record_pb2.RecordVersion) -> Mapping[str, Any]:
    content = formulation.Report()
    version.content.Unpack(content)
    return {"agencies": sorted({c.agency for c in content.circulations if not c.ended})}


_TERMS = {
    "CHILD": _child,
    "CASE": _case,
    "MEETING": _meeting,
    "INVITATION": _invitation,
    "CONTRIBUTION": _contribution,
    "REPORT": _report,
}


def shows(fact: Fact, narrowed: Narrowed) -> bool:
    """Whether this version of the record says itself what the narrowing said: then the record decides from here on."""
    if fact.record_id != narrowed.record_id or fact.version < narrowed.version:
        return False
    if fact.closed:
        return True
    match narrowed.kind:
        case "PROTECT":
            named = fact.terms["flags"].get(str(narrowed.terms["kind"]))
            return named is not None and set(named) <= set(narrowed.terms["named"])
        case "BIRTH_DATE":
            return bool(fact.terms["date_of_birth"] == narrowed.terms["date_of_birth"])
        case "CLOSE_CASE":
            return not fact.terms["open"]
    return _ended_for(fact, narrowed.terms["agency"])


def _ended_for(fact: Fact, agency: str) -> bool:
    """Of a record that stands: taken back from one agency (a report); from everybody only by being closed."""
    return bool(agency) and fact.kind == "REPORT" and agency not in fact.terms["agencies"]


def birth_date(facts: Iterable[Fact], narrowed: Iterable[Narrowed]) -> date | None:
    """The child's date of birth as it is, or will be in a moment; None where the file isn't known."""
    days = [fact.terms["date_of_birth"] for fact in facts if fact.kind == "CHILD" and not fact.closed]
    days += [one.terms["date_of_birth"] for one in narrowed if one.kind == BIRTH_DATE]
    return date.fromisoformat(days[-1]) if days and days[-1] else None


def dossier_of(child_id: str, facts: Sequence[Fact], narrowed: Sequence[Narrowed]) -> Dossier:
    """What is known of the child, narrowings laid over it; consents and overrides are added by who has them."""
    standing = [fact for fact in facts if not fact.closed]
    records = [one for one in narrowed if one.kind == RECORD]
    withheld = frozenset(one.record_id for one in records if not one.terms["agency"])
    ended = frozenset((one.record_id, one.terms["agency"]) for one in records if one.terms["agency"])
    child = [fact for fact in standing if fact.kind == "CHILD"]
    return Dossier(
        child_id=child_id,
        known=bool(child) and child_id not in withheld,
        cases=_cases(facts, narrowed, withheld),
        flags=_flags(child, narrowed),
        invitations=_invitations(facts, ended),
        circulations=tuple(
            Circulation(fact.record_id, fact.case_id, agency)
            for fact in _of(standing, "REPORT")
            for agency in fact.terms["agencies"]
            if (fact.record_id, agency) not in ended
        ),
        contributions=tuple(
            Contribution(fact.record_id, fact.case_id, fact.terms["agency"])
            for fact in _of(standing, "CONTRIBUTION")
            if (fact.record_id, fact.terms["agency"]) not in ended
        ),
        withheld=withheld,
    )


def _cases(facts: Sequence[Fact], narrowed: Sequence[Narrowed], withheld: frozenset[str]) -> dict[str, bool]:
    closing = {one.record_id for one in narrowed if one.kind == CLOSE_CASE} | withheld
    cases = _of(facts, "CASE")
    return {case.record_id: not case.closed and case.terms["open"] and case.record_id not in closing for case in cases}


def _flags(child: Sequence[Fact], narrowed: Sequence[Narrowed]) -> dict[ProtectedCode, frozenset[str]]:
    flags = {
        ProtectedCode(int(kind)): frozenset(named) for fact in child for kind, named in fact.terms["flags"].items()
    }
    for one in narrowed:
        if one.kind == PROTECT:
            kind, named = ProtectedCode(one.terms["kind"]), frozenset(one.terms["named"])
            # Who was named by neither, or by one of both alone, sees less until the child's file decides.
            flags[kind] = flags.get(kind, named) & named
    return flags


def _invitations(facts: Sequence[Fact], ended: frozenset[tuple[str, str]]) -> tuple[Invitation, ...]:
    gone = {fact.record_id for fact in facts if fact.closed and fact.kind == "MEETING"}
    return tuple(
        Invitation(fact.record_id, _standing(fact.terms["meeting_id"], gone), fact.case_id, fact.terms["agency"])
        for fact in _of(facts, "INVITATION")
        if not fact.closed and (fact.record_id, fact.terms["agency"]) not in ended
    )


def _standing(record_id: str, gone: set[str]) -> str:
    return "" if record_id in gone else record_id


def _of(facts: Iterable[Fact], kind: str) -> list[Fact]:
    return [fact for fact in facts if fact.kind == kind]
