"""CodeSystems and ValueSets. https://hl7.org/fhir/R4/codesystem.html, …/valueset.html"""

from collections.abc import Iterable

from ecm.exchange.ig.artefact import Json, artefact
from ecm.exchange.intake.answers import ANSWERS
from ecm.exchange.mapping import codes
from ecm.exchange.mapping.elements import spoken
from ecm.exchange.mapping.vocabulary import CODE_SYSTEMS, RECOVERY_MODELS

_PREFIX = f"{codes.CANONICAL}/CodeSystem/"
ADMINISTRATIVE_GENDERS = "http://hl7.org/fhir/ValueSet/administrative-gender"
INVITATION_ANSWERS = f"{codes.CANONICAL}/ValueSet/ecm-invitation-answer"
ETHNIC_CATEGORIES = f"{codes.CANONICAL}/ValueSet/ecm-ethnic-category"


def value_set_of(system: str) -> str:
    """The value set of all codes of an own system."""
    return system.replace("/CodeSystem/", "/ValueSet/")


def answers(systems: tuple[str, ...]) -> str:
    """The value set of a choice whose answers are of those systems."""
    if systems == (codes.ADMINISTRATIVE_GENDER,):
        return ADMINISTRATIVE_GENDERS
    return value_set_of(systems[0]) if len(systems) == 1 else ETHNIC_CATEGORIES


def code_systems() -> list[Json]:
    """One for each own system, complete."""
    return [_code_system(url, concepts.items()) for url, concepts in sorted(CODE_SYSTEMS.items())]


def value_sets() -> list[Json]:
    """One for each own system, with all its codes; and what England and Wales record as ethnic category."""
    whole = [_value_set(value_set_of(url), _title(url), [url]) for url in sorted(CODE_SYSTEMS)]
    both = [codes.ETHNIC_CATEGORY_ENGLAND, codes.ETHNIC_CATEGORY_WALES]
    return [*whole, _value_set(ETHNIC_CATEGORIES, "Ethnic category", both), _invitation_answers()]


def _invitation_answers() -> Json:
    """R4's participation statuses, those that are an answer."""
    said = [{"code": code} for code in sorted(ANSWERS)]
    include = {"system": "http://hl7.org/fhir/participationstatus", "concept": said}
    return artefact(INVITATION_ANSWERS, "Answers to an invitation") | {"compose": {"include": [include]}}


def _title(url: str) -> str:
    return spoken(url.removeprefix(f"{_PREFIX}ecm-"))


def _code_system(url: str, concepts: Iterable[tuple[str, str]]) -> Json:
    made = artefact(url, _title(url)) | {
        "caseSensitive": True,
        "valueSet": value_set_of(url),
        "content": "complete",
        "concept": [{"code": code, "display": display} for code, display in concepts],
    }
    return made | {"count": len(made["concept"]), "version": _version(url) or made["version"]}


def _version(url: str) -> str:
    """A recovery model has its own version, which stands in the codings."""
    return next((version for (model, version) in RECOVERY_MODELS if codes.recovery_model(model) == url), "")


def _value_set(url: str, title: str, systems: list[str]) -> Json:
    return artefact(url, title) | {"compose": {"include": [{"system": system} for system in systems]}}
