"""A child's whole record, as far as it is open. https://hl7.org/fhir/R4/patient-operation-everything.html

By the system's own child column, never by the R4 patient compartment.
"""

from dataclasses import dataclass

from starlette.responses import Response

from ecm.exchange.api.bundle import searchset
from ecm.exchange.api.errors import not_found
from ecm.exchange.api.incoming import Incoming
from ecm.exchange.api.search import next_link, resume, self_link
from ecm.exchange.api.unserved import FORMAT, in_bundle
from ecm.exchange.search.compile import compile_everything
from ecm.exchange.search.dates import parse
from ecm.exchange.search.parameters import SERVED
from ecm.exchange.search.query import DateValue, as_uuid, read_count
from ecm.kit.errors import DomainError, Reason

DEFAULT_COUNT = 100


@dataclass(slots=True)
class _Wanted:
    types: tuple[str, ...]
    count: int = DEFAULT_COUNT
    since: DateValue | None = None
    served: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()


async def everything(incoming: Incoming) -> Response:
    """A page, the Patient first; the 404 that says nothing where the Patient can't be seen."""
    _, patient_id, _ = incoming.path
    incoming.require("Patient", "r")
    after = resume(incoming, "everything", *incoming.path[:2])
    wanted = _read(incoming)
    issues = in_bundle(incoming, wanted.unknown)
    patient = str(as_uuid(patient_id) or incoming.api.ids.uuid())
    answer = await incoming.find(compile_everything(patient, wanted.types, wanted.since, wanted.count, after))
    # The Patient itself is among what is counted, unless types or dates were asked for.
    if not answer.total and not (wanted.since or after or dict(incoming.pairs).get("_type")):
        raise not_found()
    url = f"{incoming.api.base}/Patient/{patient_id}/$everything"
    links = [("self", self_link(url, wanted.served))]
    if answer.more:
        last = answer.resources[-1]
        behind = ("" if last.type == "Patient" else last.type, last.id)
        links.append(("next", next_link(incoming, url, "everything", behind)))
    return searchset(incoming, answer.resources, total=answer.total, links=links, issues=issues)


def _read(incoming: Incoming) -> _Wanted:
    wanted = _Wanted(tuple(name for name in SERVED if incoming.caller.may(name, "r")))
    for name, value in incoming.pairs:
        match name:
            case "_count":
                wanted.count = _count(value)
            case "_since":
                wanted.since = _since(value)
            case "_type":
                wanted.types = _types(wanted.types, value)
            case _ if name == FORMAT:
                continue
            case _:
                wanted.unknown += (name,)
                continue
        wanted.served += ((name, value),)
    return wanted


def _types(covered: tuple[str, ...], value: str) -> tuple[str, ...]:
    """Those asked for that the token covers; INVALID_VALUE for one that nobody is served."""
    asked = value.split(",")
    if not set(asked) <= set(SERVED):
        raise DomainError(Reason.INVALID_VALUE, "_type names what isn't served; metadata has the types.", field="_type")
    return tuple(name for name in covered if name in asked)


def _count(value: str) -> int:
    count = read_count(value)
    if count == 0:
        raise DomainError(Reason.INVALID_VALUE, "_count is 1 or more here.", field="_count")
    return count


def _since(value: str) -> DateValue:
    try:
        return DateValue("ge", parse(value.replace(" ", "+")))
    except (ValueError, OverflowError):
        raise DomainError(Reason.INVALID_VALUE, "_since is an instant.", field="_since") from None
