"""The ECM referral form. https://hl7.org/fhir/R4/questionnaire.html"""

from ecm.exchange.ig.artefact import Json, artefact
from ecm.exchange.ig.terminology import answers
from ecm.exchange.mapping import codes
from ecm.exchange.mapping.form_items import GRIDS, HEADER, REASON, RISKS, FormItem, GridItem


def questionnaires() -> list[Json]:
    """Its items in the form's order; none is required, since a form in progress is a response too."""
    url, _, version = codes.REFERRAL_FORM.partition("|")
    return [
        artefact(url, "Referral to enhanced case management")
        | {
            "version": version,
            "subjectType": ["Patient"],
            "item": [
                *(_item(item) for item in HEADER),
                _item(REASON),
                *(_item(item) for item in RISKS),
                *(_group(link, text, items) for link, (text, items) in GRIDS.items()),
            ],
        }
    ]


def _group(link: str, text: str, items: tuple[GridItem, ...]) -> Json:
    lines = [_line(item.code, item.text, "choice") | {"answerValueSet": answers((item.system,))} for item in items]
    return {"linkId": link, "text": text, "type": "group", "item": lines}


def _item(item: FormItem) -> Json:
    made = _line(item.code, item.text, item.type)
    return made | {"answerValueSet": answers(item.systems)} if item.systems else made


def _line(code: str, text: str, kind: str) -> Json:
    return {"linkId": code, "code": [{"system": codes.FORM_ITEM, "code": code}], "text": text, "type": kind}
