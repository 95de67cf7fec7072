"""Whether a resource has the shape of its type: `fhir.resources` first, then what it lets through.

https://hl7.org/fhir/R4/validation.html. Of R4B's types those alone are taken
whose definition is R4's too; the write table names no other.
"""

import copy
from typing import Any, Final

from fhir.resources.R4B.appointmentresponse import AppointmentResponse
from fhir.resources.R4B.careplan import CarePlan
from fhir.resources.R4B.documentreference import DocumentReference
from fhir.resources.R4B.observation import Observation
from pydantic import ValidationError

from ecm.exchange.intake.datatypes import check_datatypes
from ecm.exchange.intake.elements import Element, Json, invariant

MODELS: Final[dict[str, Any]] = {
    "AppointmentResponse": AppointmentResponse,
    "CarePlan": CarePlan,
    "DocumentReference": DocumentReference,
    "Observation": Observation,
}
_PLACEHOLDER = "AAAA"


def check_shape(resource: Json) -> Element:
    """The resource as an element; INVARIANT names the first element that is at fault."""
    kind = str(resource["resourceType"])
    try:
        MODELS[kind].model_validate(_without_bytes(resource))
    except ValidationError as error:
        fault = error.errors(include_input=False, include_context=False)[0]
        raise invariant(_words(fault["type"]), _path(kind, fault["loc"])) from None
    check_datatypes(resource, kind)
    root = Element(resource, kind)
    _check_narrative(root)
    return root


def _without_bytes(resource: Json) -> Json:
    """A copy without attachments' bytes, which a pattern would be matched against; they are decoded later."""
    if not isinstance(resource.get("content"), list):
        return resource
    plain = {name: value for name, value in resource.items() if name != "content"}
    plain["content"] = [_placeholder(content) for content in resource["content"]]
    return plain


def _placeholder(content: Any) -> Any:
    attachment = content.get("attachment") if isinstance(content, dict) else None
    if not isinstance(attachment, dict) or not isinstance(attachment.get("data"), str):
        return copy.copy(content)
    return content | {"attachment": attachment | {"data": _PLACEHOLDER}}


def _check_narrative(root: Element) -> None:
    """A generated narrative is what the elements say, so nothing is lost with it; another may say more."""
    text = root.child("text")
    if text is not None and text.text("status") != "generated":
        raise invariant("Only a generated narrative is taken, and not kept.", root.at("text"))


def _path(kind: str, loc: tuple[int | str, ...]) -> str:
    """Pydantic's way to the element; "root" is its own word for an object that isn't one."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc if part != "root"]
    return kind + "".join(parts)


def _words(fault: str) -> str:
    """In own words: the model's may quote what was sent."""
    if fault == "missing":
        return "It is required."
    return "R4 knows no such element here." if fault == "extra_forbidden" else "It isn't what R4 wants here."
