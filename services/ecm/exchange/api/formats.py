"""Which formats are served. https://hl7.org/fhir/R4/http.html#mime-type"""

from collections.abc import Sequence

from ecm.exchange.api.errors import FhirError
from ecm.kit.errors import DomainError, Reason

_JSON = frozenset({"json", "application/json", "application/fhir+json", "text/json"})
_ACCEPTED = _JSON | {"*/*", "application/*", ""}
FORM = "application/x-www-form-urlencoded"


def check_accept(accept: str | None, pairs: Sequence[tuple[str, str]]) -> None:
    """Raises FORMAT_NOT_SUPPORTED unless JSON will do; `_format` goes before the header."""
    wanted = [value for name, value in pairs if name == "_format"]
    if wanted:
        # A form turns the + of application/fhir+json into a blank.
        ok = _media(wanted[0]).replace(" ", "+") in _JSON
    else:
        ok = accept is None or any(_media(part) in _ACCEPTED for part in accept.split(","))
    if not ok:
        raise DomainError(Reason.FORMAT_NOT_SUPPORTED, "Only FHIR JSON is served: application/fhir+json.")


def check_form(content_type: str | None) -> None:
    """Raises 415 unless the body is a form."""
    if _media(content_type or "") != FORM:
        raise FhirError(415, Reason.FORMAT_NOT_SUPPORTED, f"POST _search takes {FORM}.")


def _media(text: str) -> str:
    return text.partition(";")[0].strip().lower()
