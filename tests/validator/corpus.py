"""Everything that the journey leaves: each version in each view from the exchange's database, each answer over HTTP."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx

from ecm.demo import fhir
from ecm.demo.journey import Journey
from ecm.demo.partner import Partner
from ecm.demo.steps.afterwards import review_and_protect
from ecm.demo.story import STEPS
from ecm.local.stack import Stack

Json = dict[str, Any]
_STORED = """
    SELECT type, id::text, view, version_id, body FROM resource
    UNION SELECT type, id::text, view, version_id, body FROM resource_version WHERE NOT deleted"""


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of a resource in one view."""

    type: str
    id: str
    view: int
    version: str
    body: str

    @property
    def key(self) -> str:
        """What it is called in a finding."""
        return f"{self.type}/{self.id} in view {self.view} at {self.version}"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the exchange."""

    request: str
    status: int
    body: str


@dataclass(slots=True)
class Corpus:
    """All of it. `closed` are what a partner was answered about each reference that it can see but not follow."""

    stored: list[Stored] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    posted: list[Json] = field(default_factory=list)
    closed: dict[str, str] = field(default_factory=dict)
    nothing: str = ""


def recorded(corpus: Corpus, request: Callable[..., httpx.Response]) -> Callable[..., httpx.Response]:
    """`Partner.request` that keeps what was posted and answered."""

    def keeping(partner: Partner, method: str, path: str, **sent: Any) -> httpx.Response:
        answer = request(partner, method, path, **sent)
        if "json" in answer.headers.get("content-type", ""):
            corpus.answers.append(Answer(f"{partner.client} {method} {path}", answer.status_code, answer.text))
        if answer.is_success and sent.get("body"):
            corpus.posted.append(sent["body"])
        return answer

    return keeping


def travel(stack: Stack, corpus: Corpus) -> None:
    """The journey's steps; after each both partners turn every page of what they see."""
    journey = Journey.on(stack)
    try:
        for step in STEPS:
            step.take(journey)
            for partner in (journey.psychology, journey.local_authority):
                _leaf_through(partner, journey.subject.identifier)
                if step.take is review_and_protect:
                    _follow(partner, journey.subject.identifier, corpus)
        _ask_amiss(journey.psychology)
    finally:
        journey.close()


async def stored(stack: Stack) -> list[Stored]:
    """Every version in every view."""
    connection = await asyncpg.connect(stack.database_url("exchange", "owner"))
    try:
        return [Stored(*row[:4], row["body"].decode()) for row in await connection.fetch(_STORED)]
    finally:
        await connection.close()


def references(value: Any) -> set[str]:
    """Every literal reference inside."""
    if isinstance(value, dict):
        own = {value["reference"]} if isinstance(value.get("reference"), str) else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def _leaf_through(partner: Partner, identifier: str) -> None:
    found = partner.patient(identifier)
    if found is None:
        return
    list(partner.pages(f"Patient/{found['id']}/$everything", _count="20"))
    list(partner.pages("Observation", patient=found["id"], _count="20"))
    list(partner.pages("DocumentReference", patient=found["id"], foo="bar"))


def _ask_amiss(partner: Partner) -> None:
    """What is answered by an OperationOutcome, and what this server says of itself."""
    partner.get("metadata")
    partner.get("Observation", date="yesterday")
    partner.get("Medication")
    partner.create({"resourceType": "Observation"}, X_Provenance=fhir.provenance("psychologist-1"))
    partner.create({"resourceType": "Patient"})


def _follow(partner: Partner, identifier: str, corpus: Corpus) -> None:
    """Each reference in what it sees: what it can't see answers as what doesn't exist."""
    corpus.nothing = partner.get("Observation/00000000-0000-4000-8000-000000000000").text
    pointed = set().union(*map(references, partner.everything(identifier)))
    for target in sorted(target for target in pointed if not target.startswith("urn:")):
        answer = partner.get(target)
        if answer.status_code != httpx.codes.OK:
            corpus.closed[f"{partner.client} {target}"] = answer.text


def parsed(stored: Stored) -> Json:
    """The resource."""
    found: Json = json.loads(stored.body)
    return found
