"""Parameters that aren't served are refused under strict handling and told of otherwise, never ignored in silence.

https://hl7.org/fhir/R4/search.html#errors
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from ecm.exchange.api.errors import issue
from ecm.exchange.api.incoming import Incoming
from ecm.kit.errors import DomainError, Reason

LONGEST_NAME, MOST_NAMES = 64, 20
# Of the HTTP layer: every address takes it.
FORMAT = "_format"
# Searches and `$everything` read their parameters themselves, and tell of the others in the Bundle.
_READ_THEIR_OWN = frozenset({"search", "everything"})


def in_bundle(incoming: Incoming, names: Sequence[str]) -> list[dict[str, Any]]:
    """Issues for a Bundle, one a name; NOT_SUPPORTED under strict handling."""
    _refuse_where_strict(incoming, names)
    ignored = "Ignored, since it isn't served: {}."
    return [issue("warning", Reason.NOT_SUPPORTED, ignored.format(_named([name]))) for name in names]


def in_header(incoming: Incoming) -> dict[str, str]:
    """A `warning` header where the answer is a resource and has no place for issues; else nothing.

    NOT_SUPPORTED under strict handling. https://www.rfc-editor.org/rfc/rfc7234#section-5.5
    """
    if incoming.inquiry.interaction in _READ_THEIR_OWN:
        return {}
    names = [name for name, _ in incoming.pairs if name != FORMAT]
    _refuse_where_strict(incoming, names)
    # Names come from outside: nothing of them but letters, digits and percent signs goes into a header.
    told = _named([quote(name[:LONGEST_NAME], safe="") for name in names])
    return {"warning": f'299 - "Ignored, since not served: {told}"'} if names else {}


def _refuse_where_strict(incoming: Incoming, names: Sequence[str]) -> None:
    if names and incoming.strict:
        raise DomainError(Reason.NOT_SUPPORTED, f"These parameters aren't served: {_named(names)}.")


def _named(names: Sequence[str]) -> str:
    return ", ".join(name[:LONGEST_NAME] for name in names[:MOST_NAMES])
