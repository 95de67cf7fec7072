"""ReferralForm → QuestionnaireResponse, Observations, RiskAssessments; a dated snapshot (checklist 29 to 76).

https://hl7.org/fhir/R4/questionnaireresponse.html, …/observation.html, …/riskassessment.html
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

from ecm.api.referrals.v1.referrals_records_pb2 import ReferralForm
from ecm.exchange.mapping import codes
from ecm.exchange.mapping.categories import REFERRAL
from ecm.exchange.mapping.elements import asked_unknown, concept, date
from ecm.exchange.mapping.form_items import ACES, COMPLEXITY, GRIDS, HEADER, REASON, RISKS, FormItem, GridItem
from ecm.exchange.mapping.resource import Json, MappedResource, Source
from ecm.exchange.mapping.views import View, shows_text
from ecm.exchange.mapping.vocabulary import own


def map_referral_form(source: Source[ReferralForm]) -> list[MappedResource]:
    """The form as it was filled in, and each answer of the grids and risks as a resource of its own.

    Unanswered items are left out; "don't know" is kept as what it is (checklist 58).
    """
    return [
        source.resource("QuestionnaireResponse", partial(_response, source), REFERRAL),
        *_observations(source, ACES, source.content.aces, "adverse-childhood-experience"),
        *_observations(source, COMPLEXITY, source.content.complexity, "complexity"),
        *_risks(source),
    ]


def _response(source: Source[ReferralForm], view: View) -> Json:
    form = source.content
    return {
        "questionnaire": codes.REFERRAL_FORM,
        "status": "completed" if _is_complete(form) else "in-progress",
        "subject": source.subject,
        "authored": date(form.date_of_referral),
        "author": source.context.yot(source.yot),
        "item": [
            *(_item(item, form) for item in HEADER),
            _reason(form, view),
            *(_item(item, form) for item in RISKS),
            _grid("aces", form.aces),
            _grid("complexity", form.complexity),
        ],
    }


def _is_complete(form: ReferralForm) -> bool:
    """Whether everything that the form asks for (29 to 43, both grids) is answered."""
    header = (item for item in (*HEADER, *RISKS) if item.field not in ("voluntary_months", "sentenced"))
    grids = [(ACES, form.aces), (COMPLEXITY, form.complexity)]
    answered = all(item.answer(form) for item in header) and all(i.answer(grid) for items, grid in grids for i in items)
    return answered and bool(form.reason.text)


def _item(item: FormItem, form: ReferralForm) -> Json:
    answer = item.answer(form)
    return {"linkId": item.code, "text": item.text, "answer": [answer]} if answer else {}


def _reason(form: ReferralForm, view: View) -> Json:
    """The free text (33): outside of `full` only where its author declared it free of what can be protected."""
    if not shows_text(form.reason, view):
        return {}
    return {"linkId": REASON.code, "text": REASON.text, "answer": [{"valueString": form.reason.text}]}


def _grid(link: str, grid: Any) -> Json:
    text, items = GRIDS[link]
    lines = [
        {"linkId": item.code, "text": item.text, "answer": [{"valueCoding": answer}]}
        for item in items
        if (answer := item.answer(grid))
    ]
    return {"linkId": link, "text": text, "item": lines} if lines else {}


def _observations(
    source: Source[ReferralForm], items: Iterable[GridItem], grid: Any, group: str
) -> list[MappedResource]:
    return [
        source.resource(
            "Observation",
            partial(_observation, source, item, answer, group),
            REFERRAL,
            key=item.code,
            profile=codes.UKCORE_OBSERVATION,
        )
        for item in items
        if (answer := item.answer(grid))
    ]


def _observation(source: Source[ReferralForm], item: GridItem, answer: Json, group: str, _view: View) -> Json:
    unknown = answer["code"] == "dont-know"
    value: Json = {"dataAbsentReason": asked_unknown()} if unknown else {"valueCodeableConcept": {"coding": [answer]}}
    return {
        "status": "final",
        "category": [
            concept(codes.OBSERVATION_CATEGORY, "survey", "Survey"),
            own(codes.OBSERVATION, group),
        ],
        "code": own(codes.FORM_ITEM, item.code),
        "subject": source.subject,
        "effectiveDateTime": date(source.content.date_of_referral),
        "derivedFrom": [source.own("QuestionnaireResponse")],
    } | value


def _risks(source: Source[ReferralForm]) -> list[MappedResource]:
    return [
        source.resource(
            "RiskAssessment",
            partial(_risk, source, item, answer),
            REFERRAL,
            key=item.code,
        )
        for item in RISKS
        if (answer := item.answer(source.content))
    ]


def _risk(source: Source[ReferralForm], item: FormItem, answer: Json, _view: View) -> Json:
    code = own(codes.FORM_ITEM, item.code)
    return {
        "status": "final",
        "code": code,
        "subject": source.subject,
        "occurrenceDateTime": date(source.content.date_of_referral),
        "basis": [source.own("QuestionnaireResponse")],
        "prediction": [{"outcome": code, "qualitativeRisk": {"coding": [answer["valueCoding"]]}}],
    }
