"""Review → ClinicalImpression and Observations; Outcome → Observation (checklist 187 to 205).

https://hl7.org/fhir/R4/clinicalimpression.html, …/observation.html
"""

from functools import partial

from ecm.api.common.v1.values_pb2 import FreeText
from ecm.api.monitoring.v1.monitoring_records_pb2 import Outcome, OutcomeKind, Review
from ecm.exchange.mapping import codes
from ecm.exchange.mapping.categories import FORMULATION, OFFENDING
from ecm.exchange.mapping.clinical import stage_coding
from ecm.exchange.mapping.elements import date, enum_concept
from ecm.exchange.mapping.resource import Json, MappedResource, Render, Source
from ecm.exchange.mapping.views import View, shows_text
from ecm.exchange.mapping.vocabulary import own


def map_review(source: Source[Review]) -> list[MappedResource]:
    """The review; what it says of offending stands apart, under its own category."""
    review = source.content
    found = [source.resource("ClinicalImpression", partial(_impression, source), FORMULATION)]
    if review.stage_at_review:
        found.append(_observed(source, "recovery-stage", partial(_stage, source), FORMULATION))
    if review.HasField("reoffended"):
        found.append(_offending(source, "reoffended", review.reoffended, review.reoffended_details))
    if review.HasField("breached"):
        found.append(_offending(source, "breached", review.breached, review.breach_details))
    return found


def _impression(source: Source[Review], view: View) -> Json:
    review = source.content
    headed = [
        ("Additional information", review.additional_information),
        ("Progress", review.progress),
        ("Recommendations", review.recommendations),
    ]
    return {
        "status": "completed",
        "code": own(codes.MEETING, "review"),
        "subject": source.subject,
        "effectiveDateTime": date(review.held_on),
        "note": [{"text": f"{heading}: {text.text}"} for heading, text in headed if shows_text(text, view)],
    }


def _stage(source: Source[Review], _view: View) -> Json:
    model, version = source.context.recovery_model
    value = {"coding": [stage_coding(model, version, source.content.stage_at_review)]}
    return _base(source, "recovery-stage") | {"valueCodeableConcept": value}


def _offending(source: Source[Review], code: str, happened: bool, details: FreeText) -> MappedResource:
    def render(view: View) -> Json:
        note = [{"text": details.text}] if shows_text(details, view) else []
        return _base(source, code) | {"valueBoolean": happened, "note": note}

    return _observed(source, code, render, OFFENDING)


def _observed(source: Source[Review], code: str, render: Render, category: str) -> MappedResource:
    return source.resource("Observation", render, category, key=code, profile=codes.UKCORE_OBSERVATION)


def _base(source: Source[Review], code: str) -> Json:
    return {
        "status": "final",
        "code": own(codes.OBSERVATION, code),
        "subject": source.subject,
        "effectiveDateTime": date(source.content.held_on),
    }


def map_outcome(source: Source[Outcome]) -> list[MappedResource]:
    """One outcome of the child's way with the YOT (199 to 205)."""
    return [source.resource("Observation", partial(_outcome, source), OFFENDING, profile=codes.UKCORE_OBSERVATION)]


def _outcome(source: Source[Outcome], view: View) -> Json:
    outcome = source.content
    gravity = {"code": own(codes.OUTCOME, "gravity-score"), "valueInteger": outcome.gravity}
    return {
        "status": "final",
        "category": [own(codes.OBSERVATION, "outcome")],
        "code": enum_concept(codes.OUTCOME, OutcomeKind, outcome.kind) or own(codes.OUTCOME, "other"),
        "subject": source.subject,
        "effectiveDateTime": date(outcome.on),
        "component": [gravity] if outcome.gravity else [],
        "note": [{"text": outcome.details.text}] if shows_text(outcome.details, view) else [],
    }
