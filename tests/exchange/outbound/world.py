"""An exchange's database filled by hand, and its FHIR API in this process. Every name and number is invented."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
from joserfc.jwk import ECKey
from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.api.exchange.v1.exchange_service_pb2 import ListDisclosuresRequest
from ecm.api.referrals.v1.referrals_records_pb2 import Child
from ecm.exchange.api.application import build_application
from ecm.exchange.api.beats import Beats
from ecm.exchange.api.incoming import Api
from ecm.exchange.audit.fingerprints import Fingerprints
from ecm.exchange.audit.listing import list_disclosures, seek
from ecm.exchange.audit.register import Registered
from ecm.exchange.audit.writers import Writers
from ecm.exchange.mapping.child import identifiers
from ecm.exchange.release import Release
from ecm.exchange.search.cursor import Cursors
from ecm.exchange.search.index import index_rows
from ecm.exchange.streams.dataref import find_dataref
from ecm.kit.auth.principal import Principal, PrincipalKind
from ecm.kit.auth.verifier import TokenVerifier
from ecm.kit.clock import SystemClock
from ecm.kit.db.scope import Scope
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import RandomIds
from ecm.kit.region import Region
from ecm.local.issuer.minting import Mint, Subject

# Short, since the oracles ask much.
BEAT_SECONDS = 0.001
BASE = "http://exchange.invalid/fhir"
ISSUER = "http://issuer.invalid"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
PURPOSE = "direct-care"
TABLES = (
    *("grants", "grant_set", "withheld", "line", "client", "resource", "resource_version", "dataref"),
    *("projected_child", "audit", "audit_seal", "audit_checkpoint", "audit_writer", "inbox", "idempotency"),
)
PSYCHOLOGY, COUNCIL = "nhs-psychology", "la-eastvale"
WRITERS = 3


@dataclass
class FakeLease:
    """A lease that a test takes away."""

    held: bool = True

    def require(self) -> None:
        if not self.held:
            raise DomainError(Reason.LEASE_EXPIRED, "The exchange has no word from consent; try again.")


@dataclass
class MemoryRegister:
    """A `referrals` that a test fills with children; `away`: out of reach."""

    children: dict[UUID, Registered] = field(default_factory=dict)
    away: bool = False

    def put(self, child: UUID, yot: str, nhs: str = "9990000042", number: str = "") -> UUID:
        """The child's file at a YOT."""
        found = identifiers(Child(nhs_number=nhs, local_case_number=number), "http://region.invalid", yot)
        self.children[child] = Registered(child, yot, tuple((one["system"], one["value"]) for one in found))
        return child

    async def child(self, child_id: UUID) -> Registered | None:
        self._reach()
        return self.children.get(child_id)

    async def named(self, system: str, value: str) -> list[Registered]:
        self._reach()
        return [one for one in self.children.values() if (system, "".join(value.split())) in one.identifiers]

    def _reach(self) -> None:
        if self.away:
            raise DomainError(Reason.PEER_UNREACHABLE, "referrals is away.")


async def list_as(
    uow: UnitOfWork, register: MemoryRegister, fingerprints: Fingerprints, yot: str = "eastvale", **request: Any
) -> Any:
    """What ListDisclosures answers an officer of the YOT."""
    asked = ListDisclosuresRequest(**request)
    sought = await seek(asked, Scope(frozenset({yot})), register, fingerprints)
    async with uow.read(officer(yot)) as tx:
        return await list_disclosures(tx, asked, sought, fingerprints)


def officer(yot: str) -> Principal:
    """A data-protection officer of the YOT."""
    role = frozenset({(yot, "data-protection-officer")})
    return Principal(PrincipalKind.PERSON, "officer-1", agency=f"yot-{yot}", roles=role)


@dataclass
class World:
    """Builders over the owner's connection; each `await`ed call commits."""

    sql: Any
    lines: dict[tuple[str, str], UUID] = field(default_factory=dict)
    register: MemoryRegister = field(default_factory=MemoryRegister)

    async def clear(self) -> None:
        await self.sql.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")
        self.lines.clear()
        self.register = MemoryRegister()
        for agency in (PSYCHOLOGY, COUNCIL):
            await self.client(agency)

    async def client(self, name: str, *, agency: str = "", purpose: str = PURPOSE, blocked: bool = False) -> None:
        await self.sql.execute(
            "INSERT INTO client VALUES ($1, $2, $3, $4, true)"
            " ON CONFLICT (client_id) DO UPDATE SET blocked = excluded.blocked",
            *(name, agency or name, purpose, blocked),
        )

    async def line(
        self, recipient: str, category: str, *, until: datetime | None = None, purposes: Sequence[str] = (PURPOSE,)
    ) -> UUID:
        line_id = uuid4()
        await self.sql.execute(
            "INSERT INTO line VALUES ($1, $2, $3, $4, $5, coalesce($6, 'infinity'::timestamptz),"
            " 'agreement-1', 'basis')",
            *(line_id, recipient, category, list(purposes), LONG_AGO, until),
        )
        self.lines[recipient, category] = line_id
        return line_id

    async def grant(
        self,
        child: UUID,
        recipient: str,
        category: str | None = None,
        *,
        record: UUID | None = None,
        patient: bool = False,
        view: int = 3,
        line: UUID | None = None,
        override: UUID | None = None,
        purposes: Sequence[str] = (PURPOSE,),
        since: datetime = LONG_AGO,
        until: datetime | None = None,
        version: int = 1,
    ) -> None:
        if line is None and override is None:
            known = self.lines.get((recipient, category or "referral"))
            line = known or await self.line(recipient, category or "referral")
        await self.sql.execute(
            "INSERT INTO grants (child_id, recipient, category, record_id, patient, view, line_id, override_id,"
            " purposes, valid_from, valid_until, basis)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, coalesce($11, 'infinity'::timestamptz), 'consent')",
            *(child, recipient, category, record, patient, view, line, override, list(purposes), since, until),
        )
        await self.sql.execute(
            "INSERT INTO grant_set (child_id, epoch, version) VALUES ($1, 1, $2)"
            " ON CONFLICT (child_id) DO UPDATE SET version = excluded.version",
            *(child, version),
        )

    async def resource(
        self,
        child: UUID | None,
        resource_type: str,
        *,
        categories: Sequence[str] = ("referral",),
        views: Mapping[int, Mapping[str, Any]] | Sequence[int] = (2, 3),
        resource_id: UUID | None = None,
        record: UUID | None = None,
        only_for: str | None = None,
        version: str = "",
        updated: datetime | None = None,
        **content: Any,
    ) -> UUID:
        """Stores a resource in each view, with version and index rows, as the projection does."""
        resource_id = resource_id or uuid4()
        contents = views if isinstance(views, Mapping) else {view: {} for view in views}
        for view, extra in contents.items():
            changed = updated or datetime.now(UTC)
            version_id = version or uuid4().hex
            document = {
                "resourceType": resource_type,
                "id": str(resource_id),
                "meta": {"versionId": version_id, "lastUpdated": changed.isoformat(timespec="milliseconds")},
                **content,
                **extra,
            }
            stored = (resource_type, resource_id, view, child, record, list(categories), only_for, version_id, changed)
            body = json.dumps(document).encode()
            pk = await self.sql.fetchval(
                "INSERT INTO resource (type, id, view, child_id, record_id, categories, only_for, version_id,"
                " last_updated, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING pk",
                *(*stored, body),
            )
            await self.sql.execute(
                "INSERT INTO resource_version (type, id, view, child_id, record_id, categories, only_for, version_id,"
                " last_updated, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                *(*stored, body),
            )
            await self._index(pk, document)
        return resource_id

    async def _index(self, pk: int, document: Mapping[str, Any]) -> None:
        rows = index_rows(document)
        tables = {"token": rows.tokens, "date": rows.dates, "reference": rows.references, "string": rows.strings}
        for table, values in tables.items():
            for value in values:
                marks = ", ".join(f"${n + 2}" for n in range(len(value)))
                await self.sql.execute(f"INSERT INTO search_{table} VALUES ($1, {marks})", pk, *value)

    async def patient(self, child: UUID, nhs: str = "9990000042", **more: Any) -> UUID:
        """A Patient in the three views; only `full` has the address."""
        identifier = [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": nhs}]
        address = [{"line": ["1 Invented Street"]}]
        views = {1: {}, 2: {"gender": "unknown"}, 3: {"gender": "unknown", "address": address}}
        return await self.resource(
            child, "Patient", categories=(), views=views, identifier=identifier, birthDate="2012-05-05", **more
        )

    async def observation(self, child: UUID, patient: UUID, **more: Any) -> UUID:
        """An Observation about the child."""
        content = {
            "status": "final",
            "code": {"coding": [{"system": "http://codes.invalid", "code": "ace-1"}]},
            "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": "2026-03-10",
        }
        return await self.resource(child, "Observation", **{**content, **more})

    async def audit(self) -> list[Any]:
        """The audit's rows, newest first."""
        return list(await self.sql.fetch("SELECT * FROM audit ORDER BY at DESC, n DESC"))


class Server:
    """The API over this database, and tokens for it."""

    def __init__(self, url: str, engine: AsyncEngine, region: Region) -> None:
        self.lease = FakeLease()
        self.fingerprints = Fingerprints(b"f" * 32)
        self.writers = Writers(url, RandomIds(), WRITERS)
        self.beats = Beats(BEAT_SECONDS)
        self._key = ECKey.generate_key("P-256", {"kid": "test"})
        self._mint = Mint(ISSUER, self._key)
        jwks = httpx.MockTransport(lambda _: httpx.Response(200, json=self._mint.jwks()))
        http = httpx.AsyncClient(transport=jwks)
        verifier = TokenVerifier(ISSUER, f"{ISSUER}/jwks.json", BASE, SystemClock(), http)
        settings: Any = SimpleNamespace(
            issuer=ISSUER,
            jwks_url=f"{ISSUER}/jwks.json",
            token_url=f"{ISSUER}/token",
            public_token_url="https://public.example.invalid/token",
            public_jwks_url="",
        )
        self.api = Api(
            base=BASE,
            settings=settings,
            region=region,
            verifier=verifier,
            release=Release(self.writers, self.lease),
            fingerprints=self.fingerprints,
            cursors=Cursors(b"c" * 32, SystemClock()),
            ids=RandomIds(),
            find_dataref=find_dataref(engine),
            beats=self.beats,
        )
        self.application = build_application(self.api, lambda: self.lease.held, datetime.now(UTC))
        transport = httpx.ASGITransport(self.application, raise_app_exceptions=True)
        self.http = httpx.AsyncClient(transport=transport, base_url=BASE)

    def token(self, client: str = PSYCHOLOGY, scope: str = "system/*.rs", audience: str = BASE, age: int = 0) -> str:
        issued = int((datetime.now(UTC) - timedelta(seconds=age)).timestamp())
        return self._mint.token(Subject(client, client, [audience], scope), issued)

    def scope(self, path: str, client: str = PSYCHOLOGY) -> dict[str, Any]:
        """A GET as an ASGI server passes it on."""
        headers = [(b"authorization", f"Bearer {self.token(client)}".encode())]
        request = {"type": "http", "method": "GET", "path": f"/fhir/{path}", "query_string": b"", "headers": headers}
        return request | {"scheme": "http", "server": ("exchange.invalid", 80), "root_path": "", "http_version": "1.1"}

    async def get(self, path: str, client: str = PSYCHOLOGY, *, scope: str = "system/*.rs", **headers: str) -> Any:
        return await self.ask("GET", path, client, scope=scope, **headers)

    async def ask(
        self,
        method: str,
        path: str,
        client: str = PSYCHOLOGY,
        *,
        scope: str = "system/*.rs",
        data: Mapping[str, str] | None = None,
        content: bytes | None = None,
        **headers: str,
    ) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["authorization"] = f"Bearer {self.token(client, scope)}"
        url = path if path.startswith("http") else f"{BASE}/{path}"
        return await self.http.request(method, url, headers=sent, data=data, content=content)


def matches(response: httpx.Response) -> list[dict[str, Any]]:
    """The resources that a search found."""
    assert response.status_code == 200, response.text
    entries = response.json()["entry"]
    return [entry["resource"] for entry in entries if entry["search"]["mode"] == "match"]


def link(response: httpx.Response, relation: str) -> str | None:
    """The address of a link of the Bundle."""
    return next((one["url"] for one in response.json()["link"] if one["relation"] == relation), None)


async def connect(url: str) -> Any:
    """A plain connection."""
    return await asyncpg.connect(url, ssl=False, server_settings={"timezone": "UTC"})
