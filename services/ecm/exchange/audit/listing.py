"""Who saw what of a child, and every attempt by one of its ids or identifiers."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ecm.api.exchange.v1 import exchange_service_pb2 as wire
from ecm.exchange.audit.fingerprints import Fingerprints
from ecm.exchange.audit.scope import check_text, in_scope, require_child
from ecm.exchange.mapping.ids import fhir_id
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import parse_uuid

DEFAULT_SIZE = 100
LARGEST_SIZE = 1_000
VIEWS = {1: "minimum", 2: "unprotected", 3: "full"}

_IDS = text("SELECT DISTINCT id FROM resource_version WHERE child_id = :child")
_IDENTIFIERS = text("""
    SELECT DISTINCT t.system, t.code FROM search_token t JOIN resource r ON r.pk = t.resource_pk
     WHERE r.child_id = :child AND r.type = 'Patient' AND t.param = 'identifier'""")
_NAMED = text("""
    SELECT DISTINCT r.child_id FROM search_token t JOIN resource r ON r.pk = t.resource_pk
     WHERE t.param = 'identifier' AND t.system = :system AND t.code = :value AND r.type = 'Patient'
       AND r.child_id IS NOT NULL""")
_PAGE = text("""
    SELECT a.writer, a.n, a.at, a.client, a.agency, a.purpose, a.interaction, a.shape, a.disclosed, a.child_ids,
           a.grants_version, a.outcome, a.asserted_user
      FROM audit a
     WHERE (a.child_ids && CAST(:children AS uuid[])
            OR (a.asked && CAST(:asked AS bytea[]) AND a.child_ids = '{}'))
       AND (a.at, a.writer, a.n) < (CAST(:at AS timestamptz), CAST(:writer AS uuid), CAST(:n AS bigint))
     ORDER BY a.at DESC, a.writer DESC, a.n DESC LIMIT :limit""")


@dataclass(frozen=True, slots=True)
class _Sought:
    """Disclosures of these children, and attempts by these fingerprints."""

    children: frozenset[UUID]
    asked: frozenset[bytes]


async def list_disclosures(
    tx: Tx, request: wire.ListDisclosuresRequest, fingerprints: Fingerprints
) -> wire.ListDisclosuresResponse:
    """A page, newest first. NOT_FOUND for another YOT's child; INVALID_VALUE unless one of both is asked for."""
    if bool(request.child_id) == request.HasField("identifier"):
        raise DomainError(Reason.INVALID_VALUE, "Ask by child_id or by identifier, one of both.", field="child_id")
    if request.child_id:
        sought = await _of_child(tx, parse_uuid(request.child_id, "child_id"), fingerprints)
    else:
        sought = await _of_identifier(tx, request.identifier.system, request.identifier.value, fingerprints)
    size = min(request.page_size or DEFAULT_SIZE, LARGEST_SIZE)
    at, writer, n = _after(request.page_token)
    values = {"children": list(sought.children), "asked": list(sought.asked), "limit": size + 1}
    rows = (await tx.conn.execute(_PAGE, values | {"at": at, "writer": writer, "n": n})).all()
    return wire.ListDisclosuresResponse(
        disclosures=[_wire(row, sought.children) for row in rows[:size]],
        next_page_token=_token(rows[size - 1]) if len(rows) > size else "",
    )


async def _of_child(tx: Tx, child: UUID, fingerprints: Fingerprints) -> _Sought:
    await require_child(tx.conn, child, tx.scope)
    ids: list[Any] = [child, fhir_id(child, "Patient"), *(await tx.conn.execute(_IDS, {"child": child})).scalars()]
    identifiers = (await tx.conn.execute(_IDENTIFIERS, {"child": child})).all()
    asked = {fingerprints.of_id(one) for one in ids}
    asked |= {mac for system, code in identifiers for mac in _identifier(system, code, fingerprints)}
    return _Sought(frozenset({child}), frozenset(asked))


async def _of_identifier(tx: Tx, system: str, value: str, fingerprints: Fingerprints) -> _Sought:
    if not value.strip():
        raise DomainError(Reason.MISSING_VALUE, "An identifier needs a value.", field="identifier.value")
    check_text("identifier", system, value)
    children = await _named(tx.conn, system, "".join(value.split()))
    seen = await in_scope(tx.conn, children, tx.scope)
    if children and not seen:
        # Another YOT's child: its attempts are that YOT's to know, as if nobody had asked.
        return _Sought(frozenset(), frozenset())
    return _Sought(frozenset(seen), frozenset(_identifier(system, value, fingerprints)))


async def _named(conn: AsyncConnection, system: str, value: str) -> list[UUID]:
    return list((await conn.execute(_NAMED, {"system": system, "value": value})).scalars())


def _identifier(system: str, value: str, fingerprints: Fingerprints) -> Iterable[bytes]:
    """With its system, and as it may have been asked for without."""
    return fingerprints.of_identifier(system, value), fingerprints.of_identifier("", value)


def _wire(row: Any, children: frozenset[UUID]) -> wire.Disclosure:
    """The row; of what was disclosed only what is about these children."""
    names = {str(child) for child in children}
    made = wire.Disclosure(
        audit_id=f"{row.writer}/{row.n}",
        client=row.client,
        agency=row.agency,
        purpose=row.purpose,
        interaction=row.interaction,
        shape=row.shape,
        resources=[_resource(one) for one in row.disclosed if one["child"] in names],
        grants_version=row.grants_version,
        outcome=row.outcome if row.outcome in ("disclosed", "refused") else "nothing",
        asserted_user=row.asserted_user or "",
    )
    made.at.FromDatetime(row.at)
    return made


def _resource(one: dict[str, Any]) -> wire.DisclosedResource:
    return wire.DisclosedResource(
        type=one["type"], id=one["id"], view=VIEWS[one["view"]], version_id=one["version"], basis=one["basis"]
    )


def _token(row: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([row.at.isoformat(), str(row.writer), row.n])).decode()


def _after(token: str) -> tuple[datetime, UUID, int]:
    if not token:
        return datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1), 0
    try:
        at, writer, n = orjson.loads(base64.urlsafe_b64decode(token))
        return datetime.fromisoformat(at), UUID(writer), int(n)
    except (ValueError, TypeError):
        raise DomainError(Reason.INVALID_VALUE, "page_token isn't one of ours.", field="page_token") from None
