"""Resources that are wrong in what this suite leans on: each must be refused, or the suite proves nothing."""

from typing import Any, Final

from ecm.exchange.mapping import codes

Json = dict[str, Any]
_FORM: Final[Json] = {
    "resourceType": "QuestionnaireResponse",
    "questionnaire": codes.REFERRAL_FORM,
    "status": "completed",
}


def _observation(**more: Any) -> Json:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "Invented"}} | more


CONTROLS: Final[dict[str, Json]] = {
    "a code that R4 hasn't": _observation(status="bogus"),
    "an own code that isn't defined": _observation(code={"coding": [{"system": codes.OBSERVATION, "code": "bogus"}]}),
    "an own extension with another value": _observation(extension=[{"url": codes.AS_WRITTEN, "valueBoolean": True}]),
    "an own extension in another place": _observation(extension=[{"url": codes.SEQUENCE, "valuePositiveInt": 1}]),
    "an extension that nobody defines": _observation(extension=[{"url": "https://x.invalid", "valueString": "x"}]),
    "a profile that nobody defines": _observation(meta={"profile": [f"{codes.CANONICAL}/StructureDefinition/bogus"]}),
    "a question that the form hasn't": _FORM | {"item": [{"linkId": "bogus", "answer": [{"valueString": "x"}]}]},
    "an answer of another type": _FORM | {"item": [{"linkId": "age", "answer": [{"valueString": "x"}]}]},
    "an answer that the question hasn't": _FORM
    | {"item": [{"linkId": "disposal", "answer": [{"valueCoding": {"system": codes.RISK_LEVEL, "code": "high"}}]}]},
}
