"""What is asked of every server, and that all of them answer the same."""

import asyncio
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

import httpx

from benchmarks.children import NHS, Child, Children, Resource
from benchmarks.load import Requests, in_turn
from benchmarks.servers import Server, ids_of

BASE = "/fhir"
CREATE, EVERYTHING = "create", "everything"
SAMPLE = 5
AT_ONCE = 4

_PATHS: dict[str, Callable[[Children], list[str]]] = {
    "read": lambda all_: [f"Observation/{one}" for one in all_.observations()],
    "search": lambda all_: [f"Observation?patient={one}&_count=20" for one in all_.patients()],
    "identifier": lambda all_: [f"Patient?identifier={NHS}|{child.number}" for child in all_.asked],
    # As large a page as each has: SEKMET has one, the others keep to this.
    EVERYTHING: lambda all_: [f"Patient/{one}/$everything?_count=50" for one in all_.patients()],
}
WORKS = (*_PATHS, CREATE)


def paged(server: Server, head: Mapping[str, str]) -> Callable[[bytes], bytes]:
    """The request for a page of `$everything`, by its path."""
    rest = _rest(server, head)
    return lambda path: b"GET " + path + rest


def requests_for(work: str, server: Server, children: Children) -> Requests:
    """One work on one server, whole requests."""
    if work == CREATE:
        return _creating(server, children, server.headers())
    return in_turn(whole_requests(work, server, children))


def whole_requests(work: str, server: Server, children: Children) -> list[bytes]:
    """One reading work on one server, once through."""
    rest = _rest(server, server.headers())
    return [f"GET {BASE}/{path}".encode() + rest for path in _PATHS[work](children)]


def _rest(server: Server, head: Mapping[str, str]) -> bytes:
    lines = {"Host": f"127.0.0.1:{server.port}", **head}
    return (" HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n").encode()


def _creating(server: Server, children: Children, head: Mapping[str, str]) -> Requests:
    """Each connection for a Patient of its own; a key of its own for each request, which makes it another command."""
    each = server.creating(children)

    def mine(number: int) -> Iterator[bytes]:
        resource, more = each[number % len(each)]
        body = json.dumps(resource).encode()
        lines = {"Content-Type": "application/fhir+json", "Content-Length": str(len(body)), **head, **more}
        start = f"POST {BASE}/{resource['resourceType']}".encode() + _rest(server, lines).removesuffix(b"\r\n")
        run = uuid4().hex
        return (
            start + f"Idempotency-Key: {run}-{number}-{count}\r\n\r\n".encode() + body for count in itertools.count()
        )

    return mine


async def give(server: Server, children: Children) -> None:
    """Puts all children into a peer: a transaction for each child."""
    waiting = iter([*children.asked, *children.writers])
    head = {**server.headers(), "Content-Type": "application/fhir+json"}
    async with httpx.AsyncClient(trust_env=False, timeout=120, headers=head) as http:

        async def put_some() -> None:
            for child in waiting:
                answer = await http.post(f"http://127.0.0.1:{server.port}{BASE}", content=_transaction(child))
                answer.raise_for_status()

        await asyncio.gather(*(put_some() for _ in range(AT_ONCE)))


def _transaction(child: Child) -> bytes:
    entries = [{"resource": one, "request": {"method": "PUT", "url": _place(one)}} for one in child.resources]
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()


def _place(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


async def check(name: str, server: Server, children: Children) -> None:
    """That a few children's answers are whole: who leaves something out would be fast. AssertionError."""
    async with httpx.AsyncClient(trust_env=False, timeout=60, headers=server.headers()) as http:
        for child in children.asked[:: max(len(children.asked) // SAMPLE, 1)]:
            patient, observations = child.patient["id"], {one["id"] for one in child.observations}
            first = child.observations[0]["id"]
            url = f"http://127.0.0.1:{server.port}{BASE}"
            one = (await http.get(f"{url}/Observation/{first}")).raise_for_status().json()
            _same(name, "read", {one["id"]}, {first})
            found = await _pages(http, f"{url}/Observation?patient={patient}&_count=20")
            _same(name, "search", found, observations)
            found = await _pages(http, f"{url}/Patient?identifier={NHS}|{child.number}")
            _same(name, "identifier", found, {patient})
            found = await _pages(http, f"{url}/Patient/{patient}/$everything?_count=50")
            _same(name, EVERYTHING, found, {patient, *observations})


def _same(name: str, work: str, found: set[Any], wanted: set[Any]) -> None:
    if found != wanted:
        raise AssertionError(f"{name} answers {work} with {len(found)} resources instead of {len(wanted)}.")


async def _pages(http: httpx.AsyncClient, url: str) -> set[Any]:
    found: set[Any] = set()
    while url:
        bundle = (await http.get(url)).raise_for_status().json()
        found |= ids_of(bundle)
        links: Sequence[Mapping[str, str]] = bundle.get("link", [])
        url = next((link["url"] for link in links if link["relation"] == "next"), "")
    return found
