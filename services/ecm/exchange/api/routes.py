"""Which interaction a method and a path below the FHIR base mean. https://hl7.org/fhir/R4/http.html"""

from collections.abc import Mapping, Sequence

from ecm.exchange.api.errors import FhirError
from ecm.exchange.api.event import event
from ecm.exchange.api.everything import everything
from ecm.exchange.api.incoming import Handler
from ecm.exchange.api.read import read
from ecm.exchange.api.search import search
from ecm.exchange.api.vread import vread
from ecm.exchange.search.parameters import SERVED
from ecm.kit.errors import DomainError, Reason

READING = ("GET", "HEAD")
Writes = Mapping[tuple[str, str], Handler]


def route(method: str, path: Sequence[str], writes: Writes) -> Handler:
    """The handler. FhirError 404 or 405, or PERMISSION_DENIED for a write that partners may not make."""
    match tuple(path):
        case segments if not all(map(str.isprintable, segments)):
            # PostgreSQL has no NUL in its texts, and no address of ours any of the others.
            raise FhirError(404, Reason.NOT_SUPPORTED, "There is no such address here.")
        case ("events", _):
            return _only(method, {"GET": event, "HEAD": event})
        case (kind, *_) if kind not in SERVED and not any(kind == written for _, written in writes):
            raise FhirError(404, Reason.NOT_SUPPORTED, "There is no such resource type or address here.")
        case ():
            raise _batch(method)
        case ("Patient", _, "$everything"):
            return _only(method, {"GET": everything})
        case (_, "_search"):
            return _only(method, {"POST": search})
        case (kind,):
            return _of_type(method, kind, writes)
        case (kind, _):
            return _of_instance(method, kind, writes)
        case (_, _, "_history", _):
            return _only(method, {"GET": vread, "HEAD": vread})
    raise FhirError(404, Reason.NOT_SUPPORTED, "There is no such address here.")


def _of_type(method: str, kind: str, writes: Writes) -> Handler:
    if method == "POST":
        return _write("create", kind, writes)
    return _only(method, {"GET": search}, also=("POST",))


def _of_instance(method: str, kind: str, writes: Writes) -> Handler:
    if method == "PUT":
        return _write("update", kind, writes)
    return _only(method, {"GET": read, "HEAD": read}, also=("PUT",))


def _write(interaction: str, kind: str, writes: Writes) -> Handler:
    handler = writes.get((interaction, kind))
    if handler is None:
        raise DomainError(Reason.PERMISSION_DENIED, f"Partners don't {interaction} {kind} here.")
    return handler


def _only(method: str, handlers: Mapping[str, Handler], also: Sequence[str] = ()) -> Handler:
    if method not in handlers:
        allowed = ", ".join([*handlers, *also])
        raise FhirError(405, Reason.NOT_SUPPORTED, f"This address takes {allowed}.", {"allow": allowed})
    return handlers[method]


def _batch(method: str) -> Exception:
    if method == "POST":
        return DomainError(Reason.PERMISSION_DENIED, "Batches and transactions aren't taken.")
    return FhirError(405, Reason.NOT_SUPPORTED, "Search one type at a time.", {"allow": "POST"})
