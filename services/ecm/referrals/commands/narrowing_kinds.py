"""The narrowings of `referrals`: a detail protected, a date of birth corrected, a case ended."""

from abc import abstractmethod
from typing import ClassVar
from uuid import UUID

from ecm.api.consent.v1.consent_service_pb2 import (
    BirthDateNarrowing,
    CloseCaseNarrowing,
    NarrowRequest,
    ProtectNarrowing,
)
from ecm.api.referrals.v1.referrals_records_pb2 import (
    CASE_END_REASON_NOT_VIABLE,
    CASE_END_REASON_PANEL_REFUSED,
    Case,
    Child,
)
from ecm.api.referrals.v1.referrals_service_pb2 import (
    CloseCaseRequest,
    CorrectDateOfBirthRequest,
    DecidePanelRequest,
    DecideViabilityRequest,
    ProtectDetailRequest,
)
from ecm.kit.db.records import Record
from ecm.kit.db.uow import Tx
from ecm.kit.ids import parse_uuid
from ecm.referrals.commands.deciding import check_on_panel, decision
from ecm.referrals.commands.narrowing import Kinds, Narrowing
from ecm.referrals.commands.replacing import REPLACING
from ecm.referrals.model.bounds import check_bounds
from ecm.referrals.model.case import check_allowed, check_closing, close
from ecm.referrals.model.child import check_birth, correct_birth
from ecm.referrals.model.decisions import decide_panel, decide_viability, not_carried_forward
from ecm.referrals.model.protection import check_agencies, check_kind, check_protect, flag_of, protect
from ecm.referrals.model.refusals import invalid, missing, required_text
from ecm.referrals.model.stamp import Decision
from ecm.referrals.model.states import ENDED, Step
from ecm.referrals.store import get_case, get_child


class OfFile(Narrowing[Child]):
    """A detail of a child's file becomes stricter."""

    request: ProtectDetailRequest | CorrectDateOfBirthRequest

    @property
    def expected_version(self) -> int:
        return self.request.expected_version

    @property
    def reason(self) -> str:
        return self.request.reason.strip()

    @property
    def record_id(self) -> UUID:
        return parse_uuid(self.request.child_id, "child_id")

    async def load(self, tx: Tx, *, lock: bool = False) -> Record[Child]:
        return await get_child(tx, self.request.child_id, lock=lock)


class Protecting(OfFile):
    """A kind of detail is protected for all agencies but the named."""

    kind: ClassVar[str] = "protect"
    request: ProtectDetailRequest

    def __init__(self, request: ProtectDetailRequest) -> None:
        self.request = request

    async def check(self, tx: Tx, held: Record[Child]) -> None:
        check_bounds(self.request)
        check_kind(self.request.kind)
        check_agencies(self.request.named_agencies, (agency.id for agency in tx.region.agencies), "named_agencies")
        check_protect(held.content, self.request.kind, self.request.named_agencies)

    def stricter(self, tx: Tx, held: Child) -> Child:
        return protect(held, self.request.kind, self.request.named_agencies)

    def told(self, held: Record[Child], version: int, content: Child | None = None) -> NarrowRequest:
        flag = flag_of(content, self.request.kind) if content is not None else None
        named = self.request.named_agencies if flag is None else flag.named_agencies
        protecting = ProtectNarrowing(kind=self.request.kind, named_agencies=sorted(set(named)), child_version=version)
        return NarrowRequest(child_id=str(held.child_id), protect=protecting)


class CorrectingBirth(OfFile):
    """The date of birth is corrected, which may open a consent's question again."""

    kind: ClassVar[str] = "birth-date"
    request: CorrectDateOfBirthRequest

    def __init__(self, request: CorrectDateOfBirthRequest) -> None:
        self.request = request

    async def check(self, tx: Tx, held: Record[Child]) -> None:
        check_bounds(self.request)
        if not self.request.HasField("date_of_birth"):
            raise missing("date_of_birth")
        check_birth(self.stricter(tx, held.content), "date_of_birth", tx.today)
        required_text(self.request.reason, "reason")
        if held.content.date_of_birth == self.request.date_of_birth:
            raise invalid("date_of_birth", "is the date on the file already.")

    def stricter(self, tx: Tx, held: Child) -> Child:
        return correct_birth(held, self.request.date_of_birth)

    def told(self, held: Record[Child], version: int, content: Child | None = None) -> NarrowRequest:
        birth = BirthDateNarrowing(date_of_birth=self.request.date_of_birth, child_version=version)
        return NarrowRequest(child_id=str(held.child_id), birth_date=birth)


class Ending(Narrowing[Case]):
    """A case ends, and with it whatever was shared under it."""

    request: CloseCaseRequest | DecideViabilityRequest | DecidePanelRequest

    @property
    def record_id(self) -> UUID:
        return parse_uuid(self.request.case_id, "case_id")

    @property
    def expected_version(self) -> int:
        return self.request.expected_version

    @property
    def reason(self) -> str:
        return self.request.reason.strip()

    async def load(self, tx: Tx, *, lock: bool = False) -> Record[Case]:
        return await get_case(tx, self.request.case_id, lock=lock)

    def stricter(self, tx: Tx, held: Case) -> Case:
        return held if held.state in ENDED else self.ended(held, decision(tx, self.reason))

    def told(self, held: Record[Case], version: int, content: Case | None = None) -> NarrowRequest:
        closing = CloseCaseNarrowing(case_id=self.request.case_id, case_version=version)
        return NarrowRequest(child_id=str(held.child_id), close_case=closing)

    @abstractmethod
    def ended(self, held: Case, verdict: Decision) -> Case:
        """The case, which hasn't ended yet, at its end."""


class Closing(Ending):
    """A case is closed (95)."""

    kind: ClassVar[str] = "close-case"

    def __init__(self, request: CloseCaseRequest) -> None:
        self.request = request
        self._end_reason = request.end_reason

    async def check(self, tx: Tx, held: Record[Case]) -> None:
        check_bounds(self.request)
        check_allowed(held.content, Step.CLOSE, decision(tx).edges)
        check_closing(self._end_reason, self.reason)

    def ended(self, held: Case, verdict: Decision) -> Case:
        return close(held, self._end_reason, verdict)


class NotViable(Ending):
    """A case isn't viable (86). Consent may have been given already."""

    kind: ClassVar[str] = "not-viable"

    def __init__(self, request: DecideViabilityRequest) -> None:
        self.request = request

    async def check(self, tx: Tx, held: Record[Case]) -> None:
        check_bounds(self.request)
        decide_viability(held.content, False, decision(tx, self.reason))

    def ended(self, held: Case, verdict: Decision) -> Case:
        return not_carried_forward(held, CASE_END_REASON_NOT_VIABLE, verdict)


class PanelRefusal(Ending):
    """The panel refuses a case (87)."""

    kind: ClassVar[str] = "panel-refusal"

    def __init__(self, request: DecidePanelRequest) -> None:
        self.request = request

    async def check(self, tx: Tx, held: Record[Case]) -> None:
        check_bounds(self.request)
        check_allowed(held.content, Step.DECIDE_PANEL, decision(tx).edges)
        check_on_panel(tx, held.yot)
        decide_panel(held.content, False, decision(tx, self.reason))

    def ended(self, held: Case, verdict: Decision) -> Case:
        return not_carried_forward(held, CASE_END_REASON_PANEL_REFUSED, verdict)


KINDS: Kinds = {
    Protecting.kind: lambda payload: Protecting(ProtectDetailRequest.FromString(payload)),
    CorrectingBirth.kind: lambda payload: CorrectingBirth(CorrectDateOfBirthRequest.FromString(payload)),
    Closing.kind: lambda payload: Closing(CloseCaseRequest.FromString(payload)),
    NotViable.kind: lambda payload: NotViable(DecideViabilityRequest.FromString(payload)),
    PanelRefusal.kind: lambda payload: PanelRefusal(DecidePanelRequest.FromString(payload)),
    **REPLACING,
}
