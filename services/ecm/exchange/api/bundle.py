"""Bundles spliced from stored bytes: nothing is parsed on the way out. https://hl7.org/fhir/R4/bundle.html"""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import uuid5

import orjson
from starlette.responses import Response

from ecm.exchange.api.errors import NO_STORE, notice, outcome
from ecm.exchange.api.handover import HandedOver
from ecm.exchange.api.incoming import Incoming
from ecm.exchange.disclosure.asks import Released
from ecm.exchange.mapping.codes import NAMESPACE

NOTICE = (
    "What is shown may be limited by consent, sharing agreements and restrictions. "
    "That something is absent here doesn't mean that it doesn't exist."
)
_NOTICE_ISSUE = notice(NOTICE)
_AFTER_MATCH = b',"search":{"mode":"match"}},'
# Every entry of a searchset has a fullUrl; an outcome isn't identified, so always the same one.
_BEFORE_OUTCOME = f'{{"fullUrl":"urn:uuid:{uuid5(NAMESPACE, "outcome")}","resource":'.encode()
_AFTER_OUTCOME = b',"search":{"mode":"outcome"}}'
_ONLY_NOTICE = _BEFORE_OUTCOME + outcome([_NOTICE_ISSUE]) + _AFTER_OUTCOME


def searchset(
    incoming: Incoming,
    resources: Sequence[Released],
    *,
    total: int | None,
    links: Sequence[tuple[str, str]],
    issues: Sequence[dict[str, Any]] = (),
) -> Response:
    """A search's answer. Its last entry is an OperationOutcome: the fixed notice, then what couldn't be served."""
    head: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    if total is not None:
        head["total"] = total
    head["link"] = [{"relation": relation, "url": url} for relation, url in links]
    parts = [orjson.dumps(head)[:-1], b',"entry":[']
    before = f'{{"fullUrl":"{incoming.api.base}/'
    for released in resources:
        parts += (f'{before}{released.reference}","resource":'.encode(), released.body, _AFTER_MATCH)
    parts += [_outcome_entry(issues), b"]}"]
    return HandedOver(b"".join(parts), NO_STORE, partial(incoming.still_open, resources))


def _outcome_entry(issues: Sequence[dict[str, Any]]) -> bytes:
    if not issues:
        return _ONLY_NOTICE
    return _BEFORE_OUTCOME + outcome([_NOTICE_ISSUE, *issues]) + _AFTER_OUTCOME
