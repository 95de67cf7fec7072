"""What the psychologist finds: developmental map, recovery-model stage; and the child's voice → Observation.

https://hl7.org/fhir/R4/observation.html
"""

from functools import partial
from typing import Final

from ecm.api.common.v1.values_pb2 import FreeText
from ecm.api.formulation.v1.formulation_records_pb2 import ChildVoice, DevelopmentalMap, RecoveryStage
from ecm.exchange.mapping import codes
from ecm.exchange.mapping.categories import FORMULATION
from ecm.exchange.mapping.documents import authors, declaration, provenance
from ecm.exchange.mapping.elements import coding, concept, date
from ecm.exchange.mapping.resource import Json, MappedResource, Render, Source
from ecm.exchange.mapping.views import View, shows_text
from ecm.exchange.mapping.vocabulary import own

# Component code → field of the message; also what a partner's Observation must have.
DEVELOPMENTAL_COMPONENTS: Final = {
    "physical": "physical_years",
    "social": "social_years",
    "cognitive": "cognitive_years",
    "emotional": "emotional_years",
}
RECOVERY_COMPONENTS: Final = {
    "presentation": "presentation",
    "underlying-need": "underlying_need",
    "intervention": "intervention",
}


def map_developmental_map(source: Source[DevelopmentalMap]) -> list[MappedResource]:
    """Four estimates of developmental age in one Observation (161)."""
    return _observed(source, partial(_developmental, source))


def map_recovery_stage(source: Source[RecoveryStage]) -> list[MappedResource]:
    """A placement on the region's recovery model (162)."""
    return _observed(source, partial(_recovery, source))


def map_child_voice(source: Source[ChildVoice]) -> list[MappedResource]:
    """What the child or family said before the meeting (133)."""
    return [source.resource("Observation", partial(_voice, source), FORMULATION, profile=codes.UKCORE_OBSERVATION)]


def stage_coding(model: str, version: str, stage: int) -> Json:
    """A stage of a recovery model as a Coding."""
    return coding(codes.recovery_model(model), str(stage), f"Stage {stage}") | {"version": version}


def _observed(source: Source[DevelopmentalMap] | Source[RecoveryStage], render: Render) -> list[MappedResource]:
    found = source.resource("Observation", render, FORMULATION, profile=codes.UKCORE_OBSERVATION)
    person = source.content.author
    return [found, *provenance(source, found, person, source.author_agency(person))]


def _developmental(source: Source[DevelopmentalMap], _view: View) -> Json:
    ages = source.content
    return {
        "status": "final",
        "category": [concept(codes.OBSERVATION_CATEGORY, "exam", "Exam")],
        "code": own(codes.OBSERVATION, "developmental-map"),
        "subject": source.subject,
        "effectiveDateTime": date(ages.effective_on),
        "performer": authors(source, ages.author, source.author_agency(ages.author)),
        "component": [_age(code, getattr(ages, field)) for code, field in DEVELOPMENTAL_COMPONENTS.items()],
    }


def _age(code: str, years: str) -> Json:
    if not years:
        return {}
    named = own(codes.OBSERVATION, f"developmental-age-{code}")
    # Written as it was entered: 7 stays 7, 7.5 stays 7.5.
    value = float(years) if "." in years else int(years)
    return {
        "code": named,
        "valueQuantity": {"value": value, "unit": "years", "system": codes.UCUM, "code": "a"},
    }


def _recovery(source: Source[RecoveryStage], view: View) -> Json:
    placed = source.content
    said = [text for field in RECOVERY_COMPONENTS.values() if (text := getattr(placed, field)).text]
    return {
        "extension": declaration(*said) if view is View.FULL else [],
        "status": "final",
        "category": [concept(codes.OBSERVATION_CATEGORY, "exam", "Exam")],
        "code": own(codes.OBSERVATION, "recovery-stage"),
        "subject": source.subject,
        "effectiveDateTime": date(placed.effective_on),
        "performer": authors(source, placed.author, source.author_agency(placed.author)),
        "valueCodeableConcept": {"coding": [stage_coding(placed.model, placed.model_version, placed.stage)]},
        "component": [_words(code, getattr(placed, field), view) for code, field in RECOVERY_COMPONENTS.items()],
    }


def _words(code: str, text: FreeText, view: View) -> Json:
    if not shows_text(text, view):
        return {}
    return {"code": own(codes.OBSERVATION, f"recovery-{code}"), "valueString": text.text}


def _voice(source: Source[ChildVoice], view: View) -> Json | None:
    voice = source.content
    if not shows_text(voice.text, view):
        return None
    return {
        "status": "final",
        "code": own(codes.OBSERVATION, "child-voice"),
        "subject": source.subject,
        "effectiveDateTime": date(voice.said_on),
        "valueString": voice.text.text,
        "note": [{"text": voice.source}] if view is View.FULL and voice.source else [],
    }
