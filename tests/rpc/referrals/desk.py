"""A YOT's system at the door of a real `referrals`, with `consent` and `formulation` played by the test."""

import itertools
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest

from ecm.api.common.v1.record_pb2 import RecordVersion
from ecm.api.consent.v1.consent_service_pb2 import NarrowRequest
from ecm.api.referrals.v1 import referrals_service_pb2 as pb
from ecm.api.referrals.v1.referrals_service_pb2_grpc import ReferralsServiceStub
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.errors import DomainError, Reason
from ecm.kit.narrowing import Narrowings
from ecm.kit.rpc.status import from_rpc_error
from ecm.local.stack import Stack
from unit.referrals import builders

MANAGER, SENIOR, OPERATIONAL = "case-manager", "senior-practitioner", "operational-manager"
WAY: list[tuple[str, str, dict[str, object]]] = [
    (OPERATIONAL, "AssessEligibility", {}),
    (MANAGER, "AssessReadiness", {"note": "ready"}),
    (OPERATIONAL, "AgreeGoAhead", {"reason": "agreed"}),
    (MANAGER, "SendReferral", {}),
    (SENIOR, "DiscussViability", {}),
    (SENIOR, "DecideViability", {"viable": True}),
]
_numbers = itertools.count(1)


@dataclass
class ConsentPlayed:
    """`consent` as a test wants it: away or not, and doing something before it answers."""

    told: list[NarrowRequest] = field(default_factory=list)
    away: bool = False
    meanwhile: Callable[[], Awaitable[object]] | None = None
    records: list[RecordVersion] = field(default_factory=list)

    async def narrow(self, request: NarrowRequest) -> None:
        if self.away:
            raise DomainError(Reason.PEER_UNREACHABLE, "consent is away")
        self.told.append(request)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()

    async def child_records(self, child_id: str) -> Sequence[RecordVersion]:
        return [record for record in self.records if record.child_id == child_id]


@dataclass
class FormulationPlayed:
    """`formulation` with the records that a test gives it."""

    records: dict[str, list[RecordVersion]] = field(default_factory=dict)

    async def versions(self, record_id: str, after: int) -> Sequence[RecordVersion]:
        return [version for version in self.records.get(record_id, []) if version.version > after]


@dataclass
class Desk:
    """Calls by a person's real token."""

    stack: Stack
    stub: ReferralsServiceStub
    uow: UnitOfWork
    consent: ConsentPlayed
    formulation: FormulationPlayed
    narrowings: Narrowings
    tokens: dict[str, str] = field(default_factory=dict)

    async def call(self, person: str, method: str, request: Any, *, key: str = "") -> Any:
        """The answer; raises the DomainError that the error said."""
        metadata = (("authorization", f"Bearer {self._token(person)}"), ("idempotency-key", key or str(uuid.uuid4())))
        try:
            return await getattr(self.stub, method)(request, metadata=metadata, timeout=10)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def refused(self, person: str, method: str, request: Any, *, key: str = "") -> DomainError:
        """What the call was refused with."""
        with pytest.raises(DomainError) as caught:
            await self.call(person, method, request, key=key)
        return caught.value

    async def child(self, **changes: object) -> str:
        """A registered child with a number of its own."""
        values = {"local_case_number": fresh_number(), "nhs_number": ""} | changes
        request = pb.RegisterChildRequest(yot="eastvale", child=builders.child(**values))
        return str((await self.call(MANAGER, "RegisterChild", request)).ref.record_id)

    async def case(self, child_id: str = "") -> str:
        """A case in discussion."""
        request = pb.OpenCaseRequest(child_id=child_id or await self.child())
        return str((await self.call(MANAGER, "OpenCase", request)).ref.record_id)

    async def papers(self, case_id: str, **changes: object) -> None:
        """Form and AssetPlus."""
        form = builders.form(date_of_referral=builders.day(self.today()), age=0, **changes)
        form.age = builders.age_today(self.today())
        await self.call(MANAGER, "SaveReferralForm", pb.SaveReferralFormRequest(case_id=case_id, form=form))
        request = pb.AttachAssessmentRequest(case_id=case_id, assessment=builders.assessment(self.today()))
        await self.call(MANAGER, "AttachAssessment", request)

    async def step(self, person: str, name: str, case_id: str, **values: object) -> int:
        """A step from the case's present version; returns the new one."""
        now = (await self.read(case_id)).ref.version
        request = getattr(pb, f"{name}Request")(case_id=case_id, expected_version=now, **values)
        return int((await self.call(person, name, request)).ref.version)

    async def accepted(self, upto: str = "DecideViability") -> str:
        """A case that was accepted, or that has taken its steps up to one of them."""
        case_id = await self.case()
        await self.papers(case_id)
        for person, name, values in WAY:
            await self.step(person, name, case_id, **values)
            if name == upto:
                break
        return case_id

    async def read(self, case_id: str) -> pb.GetCaseResponse:
        answer: pb.GetCaseResponse = await self.call(MANAGER, "GetCase", pb.GetCaseRequest(case_id=case_id))
        return answer

    async def file(self, child_id: str) -> pb.GetChildResponse:
        answer: pb.GetChildResponse = await self.call(MANAGER, "GetChild", pb.GetChildRequest(child_id=child_id))
        return answer

    def today(self) -> Any:
        return self.uow.clock.now().astimezone(self.uow.region.zone).date()

    def _token(self, person: str) -> str:
        if person not in self.tokens:
            service = person.startswith("ecm-")
            self.tokens[person] = (
                self.stack.token(client=person, audience="ecm-referrals")
                if service
                else self.stack.token(person=person)
            )
        return self.tokens[person]


def fresh_number() -> str:
    """A local case number that no other test has."""
    return f"T-{next(_numbers):05d}"
