"""Search one type, by GET and by POST. https://hl7.org/fhir/R4/http.html#search"""

from urllib.parse import quote, urlencode

from starlette.responses import Response

from ecm.exchange.api.bundle import searchset
from ecm.exchange.api.incoming import Incoming
from ecm.exchange.api.inquiry import describe
from ecm.exchange.api.unserved import FORMAT, in_bundle
from ecm.exchange.search.compile import compile_search
from ecm.exchange.search.query import read_search
from ecm.kit.errors import DomainError, Reason

CURSOR = "_cursor"


async def search(incoming: Incoming) -> Response:
    """A page of what the caller may see. Total, page and the existence of a next one carry the same predicate."""
    resource_type = incoming.path[0]
    incoming.require(resource_type, "s")
    after = resume(incoming, "search", resource_type)
    query = read_search(resource_type, incoming.pairs, incoming.api.base)
    issues = in_bundle(incoming, query.unknown)
    answer = await incoming.find(compile_search(query, after))
    links = [("self", self_link(f"{incoming.api.base}/{resource_type}", query.served))]
    if answer.more:
        last = answer.resources[-1]
        after = ("" if last.type == "Patient" else last.type, last.id)
        links.append(("next", next_link(incoming, f"{incoming.api.base}/{resource_type}", "search", after)))
    total = answer.total if query.total or query.only_total else None
    return searchset(incoming, answer.resources, total=total, links=links, issues=issues)


def self_link(url: str, served: tuple[tuple[str, str], ...]) -> str:
    """The address of what was served: parameters that were ignored don't stand in it."""
    return f"{url}?{urlencode(served, quote_via=quote)}" if served else url


def next_link(incoming: Incoming, url: str, interaction: str, after: tuple[str, str]) -> str:
    """The next page's address: an opaque cursor that this client alone can use."""
    state = {"of": interaction, "path": incoming.path[:2], "pairs": incoming.pairs, "after": after}
    return f"{url}?{CURSOR}={incoming.api.cursors.seal(incoming.caller.client, state)}"


def resume(incoming: Incoming, interaction: str, *path: str) -> tuple[str, str] | None:
    """Where a page begins, if the request is for a next one; then the query is the first page's again."""
    given = dict(incoming.pairs)
    cursor = given.get(CURSOR)
    if cursor is None:
        return None
    if given.keys() - {CURSOR, FORMAT}:
        raise DomainError(Reason.CURSOR_INVALID, "A page link is used as it is: it takes no further parameters.")
    state = incoming.api.cursors.open(incoming.caller.client, cursor)
    if state["of"] != interaction or tuple(state["path"])[: len(path)] != path:
        raise DomainError(Reason.CURSOR_INVALID, "This page link belongs to another search.")
    incoming.pairs = [(name, value) for name, value in state["pairs"]]
    incoming.inquiry = describe(incoming.request.method, incoming.path, incoming.pairs, incoming.api.fingerprints)
    first, second = state["after"]
    return first, second
