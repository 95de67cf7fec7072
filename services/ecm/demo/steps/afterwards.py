"""Steps 8 to 10: a review, a protected address, the withdrawal, and the accounting (checklist 125, 187 to 198)."""

from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus

from ecm.api.common.v1 import values_pb2 as values
from ecm.api.consent.v1 import consent_records_pb2 as consents
from ecm.api.consent.v1 import consent_service_pb2 as consent
from ecm.api.exchange.v1 import exchange_service_pb2 as exchange
from ecm.api.monitoring.v1 import monitoring_records_pb2 as monitored
from ecm.api.monitoring.v1 import monitoring_service_pb2 as monitoring
from ecm.api.referrals.v1 import referrals_service_pb2 as referrals
from ecm.demo import material
from ecm.demo.journey import LOCAL_AUTHORITY, PSYCHOLOGY, Journey, describe, expect, expect_status, until
from ecm.demo.partner import Resource
from ecm.demo.steps.referring import MANAGER, SENIOR

OFFICER = "data-protection-officer"
ASSET_PLUS = "assetplus-assessment"
DIRECTORY = ("Organization", "Practitioner")  # everybody's, and of no child


def review_and_protect(journey: Journey) -> list[str]:
    """A review counts in the YOT's return; the address is protected, psychology isn't named."""
    _review(journey)
    counted = until(lambda: _counted(journey), "the review is counted in the YOT's return")
    before = journey.psychology.everything(journey.subject.identifier)
    expect(any("address" in resource for resource in before), "psychology saw the address")
    expect(ASSET_PLUS in _document_kinds(before), "psychology saw the AssetPlus assessment")
    shown = next(resource for resource in before if resource["resourceType"] == "Patient")
    _protect(journey)
    gone = until(lambda: _address_gone(journey), "the address is gone")
    _closed_in_history(journey, shown)
    return [f"the return counts {counted} review(s)", gone]


def withdraw(journey: Journey) -> list[str]:
    """ENFORCED means: the very next read, search, page and fetch has nothing."""
    held = hold(journey)
    answer = journey.yot.call(MANAGER, journey.yot.consent.Withdraw, withdrawal(journey))
    expect(answer.enforcement.state == consent.ENFORCEMENT_STATE_ENFORCED, "the withdrawal is enforced")
    return find_closed(journey, held)


def withdrawal(journey: Journey) -> consent.WithdrawRequest:
    """The child says that it ends; saying it again changes nothing."""
    ending = consents.Ending(by=consents.SIGNATORY_CAPACITY_CHILD, said_on=material.day(journey.today))
    return consent.WithdrawRequest(case_id=journey.ids["case"], ending=ending)


def find_closed(journey: Journey, held: "Held") -> list[str]:
    """Everything that psychology held before the withdrawal is shut; the local authority's report isn't."""
    expect(describe(journey.psychology, journey.subject) == "nothing", "psychology's next search has nothing")
    for what in (held.events, held.resources, held.versions, held.own_posts):
        for location in what:
            expect_status(journey.psychology.get(location), HTTPStatus.NOT_FOUND, "what it held is closed to it")
    expect(not journey.psychology.matches(held.next_page), "the next page of a search begun before has nothing")
    told = until(lambda: _told_unavailable(journey), "its topic says `unavailable`")
    kept = journey.local_authority.everything(journey.subject.identifier)
    expect(any(resource.get("docStatus") == "final" for resource in kept), "the local authority keeps the report")
    return [
        f"ENFORCED; psychology has nothing: search, next page, {len(held.events)} old events, "
        f"{len(held.resources)} resources and their versions, {len(held.own_posts)} own posts",
        f"its topic says `unavailable` {told} times; the local authority's report stays",
    ]


@dataclass(frozen=True, slots=True)
class Held:
    """What psychology holds before the withdrawal: URLs that answer it then, and must not afterwards."""

    resources: list[str]
    versions: list[str]
    own_posts: list[str]
    events: list[str]
    next_page: str


def hold(journey: Journey) -> Held:
    """What psychology holds now, tried once: each URL answers."""
    psychology, ours = journey.psychology, journey.fetched[0].subject
    seen = [one for one in psychology.everything(journey.subject.identifier) if one["resourceType"] not in DIRECTORY]
    resources = [f"{one['resourceType']}/{one['id']}" for one in seen]
    patient = next(one for one in resources if one.startswith("Patient/"))
    posted = [location.split("/_history/")[0] for location in journey.posted]
    first = next(psychology.pages("Observation", patient=patient, _count="5"))
    held = Held(
        resources=resources,
        versions=[f"{url}/_history/{one['meta']['versionId']}" for url, one in zip(resources, seen, strict=True)],
        own_posts=[url for url in posted if psychology.get(url).is_success],
        events=sorted({event.dataref for event in psychology.events(seconds=1.0) if event.subject == ours}),
        next_page=next(link["url"] for link in first["link"] if link["relation"] == "next"),
    )
    expect(held.own_posts and held.events, "psychology holds posts of its own, and events")
    expect(psychology.matches(held.next_page), "the next page has something before")
    return held


def account(journey: Journey) -> list[str]:
    """Every disclosure and attempt, the chain, and the reasons in plain words."""
    request = exchange.ListDisclosuresRequest(child_id=journey.ids["child"], page_size=1000)
    shown = journey.yot.call(OFFICER, journey.yot.exchange.ListDisclosures, request).disclosures
    by_identifier = exchange.ListDisclosuresRequest(identifier=_nhs(journey), page_size=1000)
    attempts = journey.yot.call(OFFICER, journey.yot.exchange.ListDisclosures, by_identifier).disclosures
    nothing = [entry for entry in attempts if not entry.resources]
    expect(shown and nothing, "disclosures and attempts are listed")
    verified = until(lambda: _verified(journey), "the audit's chain verifies")
    agencies = Counter(entry.agency for entry in shown)
    return [
        "disclosures of the child: " + ", ".join(f"{count} to {agency}" for agency, count in sorted(agencies.items())),
        f"attempts by the NHS number that found nothing: {len(nothing)}",
        f"audit verified: {verified.rows_verified} rows, {verified.checkpoints_verified} checkpoints",
        *_reasons(journey, PSYCHOLOGY),
        *_reasons(journey, LOCAL_AUTHORITY),
    ]


def _review(journey: Journey) -> None:
    review = monitored.Review(
        held_on=material.day(journey.today),
        present=["psychologist", "senior-practitioner", "case-manager"],
        progress=material.free("Meets the mentor weekly"),
        recommendations=material.free("Go on as agreed"),
        reoffended=False,
        breached=False,
        stage_at_review=2,
        next_review_on=material.day(journey.today.replace(year=journey.today.year + 1, day=1)),
    )
    request = monitoring.RecordReviewRequest(case_id=journey.ids["case"], review=review)
    journey.command(SENIOR, journey.yot.monitoring.RecordReview, request, "review")


def _counted(journey: Journey) -> int:
    year = journey.today.year
    request = monitoring.GetReturnRequest(
        yot="eastvale",
        period_start=values.Date(year=year, month=1, day=1),
        period_end=values.Date(year=year, month=12, day=31),
    )
    figures = journey.yot.call(SENIOR, journey.yot.monitoring.GetReturn, request).figures
    return next((int(figure.count) for figure in figures if figure.item == "198"), 0)


def _protect(journey: Journey) -> None:
    get = referrals.GetChildRequest(child_id=journey.ids["child"])
    version = journey.yot.call(MANAGER, journey.yot.referrals.GetChild, get).ref.version
    request = referrals.ProtectDetailRequest(
        child_id=journey.ids["child"],
        expected_version=version,
        kind=values.PROTECTED_KIND_ADDRESS,
        reason="safety plan",
    )
    journey.command(MANAGER, journey.yot.referrals.ProtectDetail, request, "child")


def _address_gone(journey: Journey) -> str:
    seen = journey.psychology.everything(journey.subject.identifier)
    patients = [resource for resource in seen if resource["resourceType"] == "Patient"]
    hidden = patients and "address" not in patients[0] and ASSET_PLUS not in _document_kinds(seen)
    return (
        "address protected: gone from psychology's Patient; the undeclared AssetPlus is withheld whole"
        if hidden
        else ""
    )


def _closed_in_history(journey: Journey, shown: Resource) -> None:
    """The version that had the address is shut too, and a read by id gives the one that hasn't."""
    url = f"Patient/{shown['id']}"
    old = journey.psychology.get(f"{url}/_history/{shown['meta']['versionId']}")
    expect_status(old, HTTPStatus.NOT_FOUND, "the old version is closed")
    expect("address" not in journey.psychology.get(url).json(), "a read by id has no address")


def _document_kinds(seen: list[Resource]) -> set[str]:
    documents = [resource for resource in seen if resource["resourceType"] == "DocumentReference"]
    return {coding["code"] for document in documents for coding in document["type"]["coding"]}


def _told_unavailable(journey: Journey) -> int:
    return sum(event.type == "unavailable" for event in journey.psychology.events(seconds=1.5))


def _nhs(journey: Journey) -> values.Identifier:
    return values.Identifier(system=material.NHS_NUMBER_SYSTEM, value=journey.subject.nhs_number)


def _verified(journey: Journey) -> exchange.VerifyAuditResponse | None:
    answer: exchange.VerifyAuditResponse = journey.yot.call(
        OFFICER, journey.yot.exchange.VerifyAudit, exchange.VerifyAuditRequest()
    )
    expect(answer.valid, f"the audit is whole: {list(answer.faults)}")
    return answer if answer.rows_verified and not answer.rows_unsealed else None


def _reasons(journey: Journey, agency: str) -> list[str]:
    request = consent.ExplainGrantsRequest(child_id=journey.ids["child"], agency=agency)
    explained = journey.yot.call(OFFICER, journey.yot.consent.ExplainGrants, request)
    names = {record: name for name, record in journey.ids.items()}
    return [f"{agency}: {_named(entry, names)}: {entry.reason}" for entry in explained.categories]


def _named(entry: consent.CategoryExplanation, names: dict[str, str]) -> str:
    if entry.record_id:
        return f"record {names.get(entry.record_id, entry.record_id)}"
    return values.Category.Name(entry.category).removeprefix("CATEGORY_").lower().replace("_", "-")
