"""Papers that are labelled stricter than before: another record takes their place.

`consent` withholds the old record from everyone for good, whatever later versions of
it would say. So the stricter paper is a record of its own, and the case follows it.
"""

from abc import abstractmethod
from typing import ClassVar, TypeVar
from uuid import UUID

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.consent.v1.consent_service_pb2 import NarrowRequest, RecordNarrowing
from ecm.api.referrals.v1.referrals_records_pb2 import Assessment, ReferralForm
from ecm.api.referrals.v1.referrals_service_pb2 import AttachAssessmentRequest, SaveReferralFormRequest
from ecm.kit.db.records import Record
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import parse_uuid
from ecm.referrals.commands.deciding import ref_of, save_case
from ecm.referrals.commands.narrowing import Kinds, Narrowing, check_not_open
from ecm.referrals.model import assessment as assessments
from ecm.referrals.model import form as forms
from ecm.referrals.model.case import check_open, refer_to
from ecm.referrals.model.dates import to_date
from ecm.referrals.store import assessment_of, form_of, get_case, get_child

P = TypeVar("P", Assessment, ReferralForm)


class Replacing(Narrowing[P]):
    """A paper of a case, replaced by a stricter one."""

    request: AttachAssessmentRequest | SaveReferralFormRequest

    @property
    def record_id(self) -> UUID:
        """The case: it has one such paper, and its lock keeps a second one from coming."""
        return parse_uuid(self.request.case_id, "case_id")

    @property
    def reason(self) -> str:
        return "replaced by a stricter one"

    async def load(self, tx: Tx, *, lock: bool = False) -> Record[P]:
        case = await get_case(tx, self.request.case_id, lock=lock)
        held = await self.standing(tx, case.record_id)
        if held is None:
            raise DomainError(Reason.NOT_FOUND, "The case has no such paper yet.")
        return held

    async def relabels(self, tx: Tx) -> bool:
        """Whether the command is a narrowing, as the paper stands now."""
        held = await self.standing(tx, (await get_case(tx, self.request.case_id)).record_id)
        return held is not None and self.is_stricter(held.content)

    def told(self, held: Record[P], version: int, content: P | None = None) -> NarrowRequest:
        return NarrowRequest(child_id=str(held.child_id), record=RecordNarrowing(record_id=str(held.record_id)))

    async def commit(self, tx: Tx, held: Record[P], content: P) -> RecordRef:
        await tx.records.close(held, reason=self.reason)
        made = await tx.records.create(
            held.kind, content, child_id=held.child_id, case_id=held.case_id, yot=held.yot, reason=self.reason
        )
        case = await get_case(tx, self.request.case_id, lock=True)
        referring = refer_to(case.content, str(held.record_id), str(made.record_id))
        if referring is not case.content:
            await save_case(tx, case, referring, self.reason)
        return ref_of(made)

    @abstractmethod
    async def standing(self, tx: Tx, case_id: UUID) -> Record[P] | None:
        """The paper as it is now, where there is one."""

    @abstractmethod
    def is_stricter(self, held: P) -> bool:
        """Whether what is asked for is labelled stricter than what is held."""


class ReplacingAssessment(Replacing[Assessment]):
    """The AssetPlus assessment is attached with a stricter declaration (45)."""

    kind: ClassVar[str] = "replace-assessment"

    def __init__(self, request: AttachAssessmentRequest) -> None:
        self.request: AttachAssessmentRequest = request

    @property
    def expected_version(self) -> None:
        return None

    async def check(self, tx: Tx, held: Record[Assessment]) -> None:
        check_open((await get_case(tx, self.request.case_id)).content)
        assessments.check_assessment(self.request.assessment, tx.today)

    def stricter(self, tx: Tx, held: Assessment) -> Assessment:
        return self.request.assessment

    async def standing(self, tx: Tx, case_id: UUID) -> Record[Assessment] | None:
        return await assessment_of(tx, case_id)

    def is_stricter(self, held: Assessment) -> bool:
        return assessments.is_stricter(held, self.request.assessment)


class ReplacingForm(Replacing[ReferralForm]):
    """The referral form is saved with a stricter declaration of its free text (33)."""

    kind: ClassVar[str] = "replace-form"

    def __init__(self, request: SaveReferralFormRequest) -> None:
        self.request: SaveReferralFormRequest = request

    @property
    def expected_version(self) -> int:
        return self.request.expected_version

    async def check(self, tx: Tx, held: Record[ReferralForm]) -> None:
        case = await get_case(tx, self.request.case_id)
        check_open(case.content)
        child = await get_child(tx, str(held.child_id))
        forms.check_form(self.request.form, held.yot, to_date(child.content.date_of_birth, "date_of_birth"), tx.today)

    def stricter(self, tx: Tx, held: ReferralForm) -> ReferralForm:
        return self.request.form

    async def standing(self, tx: Tx, case_id: UUID) -> Record[ReferralForm] | None:
        return await form_of(tx, case_id)

    def is_stricter(self, held: ReferralForm) -> bool:
        return forms.is_stricter(held, self.request.form)


REPLACING: Kinds = {
    ReplacingAssessment.kind: lambda payload: ReplacingAssessment(AttachAssessmentRequest.FromString(payload)),
    ReplacingForm.kind: lambda payload: ReplacingForm(SaveReferralFormRequest.FromString(payload)),
}


async def check_updatable(tx: Tx, replacing: Replacing[P]) -> None:
    """VERSION_CONFLICT where the paper is being replaced, or where this update would have to replace it too.

    The caller holds the case's lock.
    """
    await check_not_open(tx, replacing.record_id, replacing.kind, REPLACING[replacing.kind])
    if await replacing.relabels(tx):
        message = "The case's paper was changed meanwhile; read it again and repeat the command."
        raise DomainError(Reason.VERSION_CONFLICT, message)
