"""The raw limit: the same ASGI server and driver, one indexed SELECT or INSERT a request, no check or audit.

The server is the exchange's own (`serve.py`: uvicorn on uvloop with httptools, its bounds on connections included),
the driver asyncpg with prepared statements on connections of its own. No framework, no token, no version or headers
of FHIR, no total, no order: bytes as they are stored, or spliced into a Bundle.
"""

import asyncio
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID, uuid4

import asyncpg

CONNECTIONS = 4
_READ = "SELECT body FROM resource WHERE type = 'Observation' AND id = $1 AND view = 3"
_SEARCH = """SELECT r.body FROM search_reference t JOIN resource r ON r.pk = t.resource_pk
    WHERE t.param = 'patient' AND t.target_id = $1 AND t.target_type = 'Patient'
      AND r.type = 'Observation' AND r.view = 3 LIMIT 20"""
_IDENTIFIER = """SELECT r.body FROM search_token t JOIN resource r ON r.pk = t.resource_pk
    WHERE t.param = 'identifier' AND t.code = $1 AND t.system = $2 AND r.type = 'Patient' AND r.view = 3 LIMIT 20"""
_EVERYTHING = """SELECT r.body FROM resource r WHERE r.view = 3 AND r.child_id =
    (SELECT p.child_id FROM resource p WHERE p.type = 'Patient' AND p.id = $1 AND p.view = 3)"""

# With a commit of its own.
_CREATE = """INSERT INTO resource_version (type, id, view, version_id, last_updated, body)
    VALUES ('Observation', $1, 3, $2, clock_timestamp(), $3)"""


class Raw:
    """The application."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._free: asyncio.Queue[Any] = asyncio.Queue()

    async def start(self) -> None:
        """Connections of its own: a pool's reset query would cost it a third."""
        for _ in range(CONNECTIONS):
            self._free.put_nowait(await asyncpg.connect(self._url, ssl=False))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        connection = await self._free.get()
        try:
            if scope["method"] == "POST":
                status, body = 201, await _create(connection, receive)
            else:
                status, body = 200, await _body(connection, scope)
        finally:
            self._free.put_nowait(connection)
        headers = [(b"content-type", b"application/fhir+json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def _create(connection: Any, receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    identity = uuid4()
    await connection.execute(_CREATE, identity, identity.hex, body)
    return body


async def _body(connection: Any, scope: Any) -> bytes:
    path = scope["path"].split("/")
    if path[-1] == "metadata":
        return b"{}"
    if path[-1] == "$everything":
        return _bundle(await connection.fetch(_EVERYTHING, UUID(path[-2])))
    if not scope["query_string"]:
        return bytes(await connection.fetchval(_READ, UUID(path[-1])))
    query = parse_qs(scope["query_string"].decode())
    if "patient" in query:
        return _bundle(await connection.fetch(_SEARCH, query["patient"][0]))
    system, _, code = query["identifier"][0].partition("|")
    return _bundle(await connection.fetch(_IDENTIFIER, code, system))


def _bundle(rows: list[Any]) -> bytes:
    entries = b'},{"resource":'.join(row[0] for row in rows)
    return b'{"resourceType":"Bundle","type":"searchset","entry":[{"resource":' + entries + b"}]}"
