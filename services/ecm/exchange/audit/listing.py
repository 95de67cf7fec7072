"""Who saw what of a child, and every attempt by one of its ids or identifiers."""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from ecm.api.exchange.v1 import exchange_service_pb2 as wire
from ecm.exchange.audit.fingerprints import Fingerprints
from ecm.exchange.audit.register import Register
from ecm.exchange.audit.scope import check_text, in_scope, require_child
from ecm.exchange.mapping.ids import fhir_id
from ecm.kit.db.scope import Scope
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import parse_uuid

DEFAULT_SIZE = 100
LARGEST_SIZE = 1_000
VIEWS = {1: "minimum", 2: "unprotected", 3: "full"}

_IDS = text("SELECT DISTINCT id FROM resource_version WHERE child_id = ANY(CAST(:children AS uuid[]))")
_PAGE = text("""
    SELECT a.writer, a.n, a.at, a.client, a.agency, a.purpose, a.interaction, a.shape, a.disclosed, a.child_ids,
           a.grants_version, a.outcome, a.asserted_user
      FROM audit a
     WHERE (a.child_ids && CAST(:children AS uuid[])
            OR (a.asked && CAST(:asked AS bytea[]) AND a.child_ids = '{}'))
       AND (a.at, a.writer, a.n) < (CAST(:at AS timestamptz), CAST(:writer AS uuid), CAST(:n AS bigint))
     ORDER BY a.at DESC, a.writer DESC, a.n DESC LIMIT :limit""")


@dataclass(frozen=True, slots=True)
class Sought:
    """Disclosures of these children, and attempts by these fingerprints; `by_ids`: by the ids of what is held, too."""

    children: frozenset[UUID]
    asked: frozenset[bytes]
    by_ids: bool = False


async def seek(
    request: wire.ListDisclosuresRequest, scope: Scope, register: Register, fingerprints: Fingerprints
) -> Sought:
    """What a request asks for, of what is the caller's to know.

    NOT_FOUND for another YOT's child as for none; INVALID_VALUE unless one of both is asked for.
    """
    if bool(request.child_id) == request.HasField("identifier"):
        raise DomainError(Reason.INVALID_VALUE, "Ask by child_id or by identifier, one of both.", field="child_id")
    if request.child_id:
        found = await require_child(register, parse_uuid(request.child_id, "child_id"), scope)
        return Sought(frozenset({found.child_id}), _of_pairs(found.identifiers, fingerprints), by_ids=True)
    system, value = request.identifier.system, request.identifier.value
    if not value.strip():
        raise DomainError(Reason.MISSING_VALUE, "An identifier needs a value.", field="identifier.value")
    check_text("identifier", system, value)
    seen = await in_scope(register, system, value, scope)
    # Nobody's, or another YOT's: what was asked by it is that YOT's to know, and the answer is the same.
    asked = _of_pairs([(system, value)] if seen else [], fingerprints)
    return Sought(frozenset(one.child_id for one in seen), asked)


async def list_disclosures(
    tx: Tx, request: wire.ListDisclosuresRequest, sought: Sought, fingerprints: Fingerprints
) -> wire.ListDisclosuresResponse:
    """A page, newest first."""
    asked = set(sought.asked)
    if sought.by_ids:
        asked |= {fingerprints.of_id(one) for one in await _ids(tx, sought.children)}
    size = min(request.page_size or DEFAULT_SIZE, LARGEST_SIZE)
    at, writer, n = _after(request.page_token)
    values = {"children": list(sought.children), "asked": list(asked), "limit": size + 1}
    rows = (await tx.conn.execute(_PAGE, values | {"at": at, "writer": writer, "n": n})).all()
    return wire.ListDisclosuresResponse(
        disclosures=[_wire(row, sought.children) for row in rows[:size]],
        next_page_token=_token(rows[size - 1]) if len(rows) > size else "",
    )


async def _ids(tx: Tx, children: Iterable[UUID]) -> set[Any]:
    """Every id under which the children, and what is held of them, may have been asked for."""
    held = (await tx.conn.execute(_IDS, {"children": list(children)})).scalars()
    return {*children, *(fhir_id(child, "Patient") for child in children), *held}


def _of_pairs(pairs: Iterable[tuple[str, str]], fingerprints: Fingerprints) -> frozenset[bytes]:
    return frozenset(mac for system, value in pairs for mac in _identifier(system, value, fingerprints))


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
        resources=[resource for one in row.disclosed if one["child"] in names for resource in _resources(one)],
        grants_version=row.grants_version,
        outcome=row.outcome if row.outcome in ("disclosed", "refused") else "nothing",
        asserted_user=row.asserted_user or "",
    )
    made.at.FromDatetime(row.at)
    return made


def _resources(one: dict[str, Any]) -> Iterator[wire.DisclosedResource]:
    for named in one["resources"]:
        kind, resource_id, version = named.split("/")
        yield wire.DisclosedResource(
            type=kind, id=resource_id, view=VIEWS[one["view"]], version_id=version, basis=one["basis"]
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
