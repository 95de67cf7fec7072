"""The FHIR API with a `formulation` of a few lines behind it; projection and grants are the real ones."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import httpx
from google.protobuf.message import Message

from ecm.api.common.v1.actor_pb2 import Actor
from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.common.v1.values_pb2 import View
from ecm.api.formulation.v1 import formulation_records_pb2 as records
from ecm.api.referrals.v1 import referrals_records_pb2 as referrals
from ecm.exchange.api.application import build_application
from ecm.exchange.api.body import Reading
from ecm.exchange.api.writes import write_handlers
from ecm.exchange.mapping.codes import HCPC
from ecm.exchange.mapping.ids import fhir_id
from ecm.kit.errors import DomainError, Reason
from exchange.inbound.world import (
    COUNCIL,
    PSYCHOLOGY,
    category_grant,
    category_value,
    child_content,
    patient_grant,
)
from exchange.inbound.world import World as Inward
from exchange.outbound.world import Server
from exchange.owners import Owners
from unit.exchange.intake import posted

SCOPE = "system/*.rs system/Observation.c system/CarePlan.cu system/DocumentReference.cu system/AppointmentResponse.c"
AUTHOR = json.dumps(
    {
        "resourceType": "Provenance",
        "recorded": "2026-11-20T10:00:00Z",
        "agent": [{"who": {"identifier": {"system": HCPC, "value": "PYL00001"}}}],
    }
)


@dataclass
class Formulation:
    """Keeps what it is told: (kind, content) by RPC; answers the same key the same. Stands where the Peer does."""

    owners: Owners
    child: UUID
    case: UUID
    calls: list[tuple[str, Message, str, Actor]] = field(default_factory=list)
    answers: dict[str, RecordRef] = field(default_factory=dict)
    refuse: DomainError | None = None
    channel: Any = field(default_factory=lambda: SimpleNamespace(unary_unary=lambda path, *_, **__: path))
    before: Callable[[], None] = lambda: None

    async def call(
        self,
        method: Any,
        request: Message,
        *,
        timeout: float,  # noqa: ASYNC109
        idempotency_key: str,
        actor: Actor,
    ) -> SimpleNamespace:
        rpc = str(method).rpartition("/")[2]
        self.calls.append((rpc, request, idempotency_key, actor))
        self.before()
        if self.refuse is not None:
            raise self.refuse
        if idempotency_key not in self.answers:
            self.answers[idempotency_key] = await self._done(rpc, request, actor)
        return SimpleNamespace(ref=self.answers[idempotency_key])

    def drafted(self, record: UUID) -> records.ReportDraft:
        """The draft as it stands."""
        content = records.ReportDraft()
        content.CopyFrom(self.owners.held[record].content)
        return content

    async def _done(self, rpc: str, request: Any, actor: Actor) -> RecordRef:
        kind, content, record = self._effect(rpc, request, actor)
        if record is not None and hasattr(request, "expected_version"):
            self._check_version(record, request.expected_version)
        kept = await self.owners.put("formulation", kind, self.child, content, record, case_id=self.case)
        return RecordRef(record_id=str(kept), version=self.owners.held[kept].version)

    def _check_version(self, record: UUID, expected: int) -> None:
        newest = self.owners.held[record].version
        if newest != expected:
            raise DomainError(Reason.VERSION_CONFLICT, "Read it again.", metadata={"version": str(newest)})

    def _effect(self, rpc: str, request: Any, actor: Actor) -> tuple[str, Message, UUID | None]:
        author = actor.practitioner if actor.HasField("practitioner") else None
        match rpc:
            case "AnswerInvitation":
                record = UUID(request.invitation_id)
                content = records.Invitation()
                content.CopyFrom(self.owners.held[record].content)
                content.answer, content.comment = request.answer, request.comment
                return "INVITATION", content, record
            case "ContributeInformation":
                made = records.Contribution(
                    meeting_id=request.meeting_id, agency=actor.agency, document=request.document,
                    categories=request.categories,
                )  # fmt: skip
                return "CONTRIBUTION", made, None
            case "RecordDevelopmentalMap":
                request.map.author.CopyFrom(author)
                return "DEVELOPMENTAL_MAP", request.map, None
            case "RecordRecommendations":
                known = UUID(request.recommendations_id) if request.recommendations_id else None
                return "RECOMMENDATIONS", request.recommendations, known
            case "DraftReport":
                draft = records.ReportDraft(
                    state=records.REPORT_DRAFT_STATE_DRAFTED, document=request.document, meeting_id=request.meeting_id,
                    author=author,
                )  # fmt: skip
                return "REPORT_DRAFT", draft, UUID(request.draft_id) if request.draft_id else None
            case "FinaliseReport":
                self._check_version(UUID(request.draft_id), request.expected_version)
                report = records.Report(document=request.document, draft_id=request.draft_id, author=author)
                report.finalised_at.FromDatetime(datetime.now(UTC))
                return "REPORT", report, None
        raise AssertionError(rpc)


@dataclass
class Journey:
    """One child with a case, a meeting to which both are invited, and the two partners' view of it."""

    inward: Inward
    server: Server
    formulation: Formulation
    child: UUID
    case: UUID
    meeting: UUID
    invitations: dict[str, UUID]

    @classmethod
    async def begin(cls, inward: Inward, server: Server, reading: Reading) -> "Journey":
        child, case = uuid4(), uuid4()
        owners = inward.owners
        await owners.put("referrals", "CHILD", child, child_content(), child)
        await owners.put("referrals", "CASE", child, referrals.Case(state=referrals.CASE_STATE_ACCEPTED), case)
        meeting = records.Meeting(state=records.MEETING_STATE_HELD)
        meeting.starts_at.FromDatetime(datetime.now(UTC) - timedelta(days=1))
        meeting_id = await owners.put("formulation", "MEETING", child, meeting, case_id=case)
        invitations = {
            agency: await owners.put(
                "formulation", "INVITATION", child, records.Invitation(meeting_id=str(meeting_id), agency=agency),
                case_id=case,
            )
            for agency in (PSYCHOLOGY, COUNCIL)
        }  # fmt: skip
        formulation = Formulation(owners, child, case)
        found = cls(inward, server, formulation, child, case, meeting_id, invitations)
        await inward.open_region()
        await found.grant()
        await inward.look()
        found._serve(reading)
        return found

    async def grant(self, *more: Any) -> None:
        """Psychology has everything; the council its invitation, with the minimum of the Patient."""
        categories = [category_grant(name) for name in ("referral", "invitation", "formulation", "report")]
        await self.inward.grant(self.child, patient_grant(), *categories, *self._invited(), *more)

    def _invited(self) -> list[Any]:
        opened = [self.record_grant(record) for record in (self.meeting, self.invitations[COUNCIL])]
        return [patient_grant(COUNCIL, View.VIEW_MINIMUM, "invitation"), *opened]

    def record_grant(self, record: UUID, agency: str = COUNCIL) -> Any:
        """A grant on one record alone."""
        grant = category_grant("invitation", agency)
        grant.ClearField("category")
        grant.record_id = str(record)
        assert category_value("invitation")
        return grant

    def _serve(self, reading: Reading) -> None:
        peer: Any = self.formulation
        writes = write_handlers(self.inward.engine, self.inward.region, peer, self.inward.projection, reading)
        api = replace(self.server.api, writes=writes)
        transport = httpx.ASGITransport(build_application(api, lambda: True, datetime.now(UTC)))
        self.server.http = httpx.AsyncClient(transport=transport, base_url=api.base)

    @property
    def patient(self) -> str:
        return fhir_id(self.child, "Patient")

    @property
    def appointment(self) -> str:
        return fhir_id(self.meeting, "Appointment")

    @property
    def encounter(self) -> str:
        return fhir_id(self.meeting, "Encounter")

    def about(self, resource: dict[str, Any]) -> dict[str, Any]:
        """An invented resource, with this child's ids in the place of the invented ones."""
        own = {posted.PATIENT: self.patient, posted.APPOINTMENT: self.appointment, posted.ENCOUNTER: self.encounter}
        text = json.dumps(resource)
        for invented, real in own.items():
            text = text.replace(invented, real)
        return dict(json.loads(text))

    async def post(self, resource: dict[str, Any], client: str = PSYCHOLOGY, **headers: str) -> httpx.Response:
        return await self.send("POST", resource["resourceType"], resource, client, **headers)

    async def put(self, resource: dict[str, Any], client: str = PSYCHOLOGY, **headers: str) -> httpx.Response:
        return await self.send("PUT", f"{resource['resourceType']}/{resource['id']}", resource, client, **headers)

    async def send(
        self, method: str, path: str, resource: dict[str, Any] | bytes, client: str = PSYCHOLOGY, **headers: str
    ) -> httpx.Response:
        content = resource if isinstance(resource, bytes) else json.dumps(resource).encode()
        known = {"content_type": "application/fhir+json"}
        if client == PSYCHOLOGY:
            known["x_provenance"] = AUTHOR
        sent = {name: value for name, value in (known | headers).items() if value}
        return await self.server.ask(method, path, client, scope=SCOPE, content=content, **sent)

    async def get(self, path: str, client: str = PSYCHOLOGY) -> httpx.Response:
        return await self.server.get(path, client)
