"""Steps 3 to 5: nothing before consent, the two instruments, and the events that follow."""

from http import HTTPStatus

import httpx

from ecm.api.consent.v1 import consent_service_pb2 as messages
from ecm.demo import material
from ecm.demo.journey import Journey, describe, expect, expect_status, until
from ecm.demo.partner import Partner, Resource, TopicEvent
from ecm.demo.steps.referring import MANAGER

BY_CONSENT = (
    "Patient",
    "EpisodeOfCare",
    "ServiceRequest",
    "Task",
    "QuestionnaireResponse",
    "Observation",
    "RiskAssessment",
    "Consent",
)


def nothing_before(journey: Journey) -> list[str]:
    """Psychology asks for the child, and for one who doesn't exist: the answers are alike."""
    psychology = journey.psychology
    asked = psychology.get("Patient", identifier=journey.subject.identifier)
    nobody = psychology.get("Patient", identifier=f"{material.NHS_NUMBER_SYSTEM}|9990000131")
    expect(asked.status_code == nobody.status_code == HTTPStatus.OK, "both searches answer 200")
    expect(asked.json()["total"] == 0, "the child isn't found")
    expect(_but_for_the_question(asked) == _but_for_the_question(nobody), "the answers are alike, word for word")
    journey.unconcerned = _heard(journey.local_authority)
    return ["a search by NHS number finds 0, the same as for a number that nobody has"]


def _but_for_the_question(answer: httpx.Response) -> Resource:
    """The Bundle without the link that repeats what was asked, and without the notice's own random id."""
    bundle: Resource = answer.json()
    return bundle | {"link": len(bundle["link"])}


def consent(journey: Journey) -> list[str]:
    """The form and the leaflet, signed by the child and the mother (checklist 117, 123)."""
    seek = messages.SeekConsentRequest(case_id=journey.ids["case"], sought_on=material.day(journey.today))
    journey.command(MANAGER, journey.yot.consent.SeekConsent, seek, "consent")
    give = messages.GiveConsentRequest(
        case_id=journey.ids["case"], instruments=material.instruments(journey.subject, journey.today)
    )
    journey.command(MANAGER, journey.yot.consent.GiveConsent, give, "consent")
    until(lambda: _sees_all(journey), "psychology sees what consent opens")
    expect(describe(journey.local_authority, journey.subject) == "nothing", "the local authority still sees nothing")
    return [f"given by child and parent; {journey.psychology.client} reads and searches {len(BY_CONSENT)} types"]


def events(journey: Journey) -> list[str]:
    """Each `available` event says where to fetch; fetching works for psychology, and for nobody else."""
    journey.fetched = until(lambda: _of_the_child(journey), "psychology's topic has events of the child")
    stranger = journey.local_authority.get(journey.fetched[0].dataref)
    expect_status(stranger, HTTPStatus.NOT_FOUND, "another client finds nothing there")
    expect(_heard(journey.local_authority) == journey.unconcerned, "the local authority's topic has none of the child")
    return [f"{len(journey.fetched)} `available` events, each fetched; {journey.local_authority.client} has none"]


def _of_the_child(journey: Journey) -> list[TopicEvent]:
    """The `available` events under the child's pseudonym, which is the one whose Patient has the child's number."""
    told: dict[str, list[TopicEvent]] = {}
    for event in journey.psychology.events(seconds=1.0):
        if event.type == "available":
            told.setdefault(event.subject, []).append(event)
    return next((events for events in told.values() if _about(journey, events)), [])


def _about(journey: Journey, events: list[TopicEvent]) -> bool:
    """Whether one child's events are of ours, and each dataref answers with its resource."""
    first = journey.psychology.get(events[0].dataref)
    if not first.is_success or not _is_of(journey, first.json()):
        return False
    return all(journey.psychology.get(event.dataref).is_success for event in events)


def _is_of(journey: Journey, resource: Resource) -> bool:
    patient = journey.psychology.patient(journey.subject.identifier)
    return patient is not None and patient["id"] in str(resource)


def _heard(partner: Partner) -> int:
    """How many events of any child stand on the partner's topic."""
    return sum(event.type != "heartbeat" for event in partner.events(seconds=0.5))


def _sees_all(journey: Journey) -> bool:
    sight = journey.psychology.sight(journey.subject.identifier)
    return all(sight[kind] for kind in BY_CONSENT)
