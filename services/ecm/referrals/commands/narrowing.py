"""What makes a file or a case stricter is told to `consent` before it is committed.

`consent` lays what it was told over the record until a version, from the one named
on, shows it. So what is committed must be exactly what was told, at exactly that
version: where the record has moved on meanwhile, `consent` is told again, while the
record is locked.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, Protocol, TypeVar
from uuid import UUID, uuid5

from google.protobuf.message import Message
from sqlalchemy import select

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.consent.v1.consent_service_pb2 import NarrowRequest
from ecm.kit.auth.principal import service_principal
from ecm.kit.db.records import Record
from ecm.kit.db.scope import UNLIMITED
from ecm.kit.db.tables import narrowing_intent
from ecm.kit.db.uow import Tx, UnitOfWork
from ecm.kit.errors import DomainError, Reason
from ecm.referrals.commands.deciding import check_version, ref_of

M = TypeVar("M", bound=Message)
_NAMESPACE = UUID("0b0e7c54-3f0d-4a53-8d0a-0d7f2b6b7c11")


class Consent(Protocol):
    """The door of `consent`, as far as narrowings need it."""

    async def narrow(self, request: NarrowRequest) -> None:
        """Returns once `consent` has recorded it (R); idempotent by `intent_id`."""
        ...


class Narrowing(ABC, Generic[M]):
    """One command that narrows, made of its request."""

    kind: ClassVar[str]

    @property
    @abstractmethod
    def expected_version(self) -> int | None:
        """The version that the caller knows; None where the command doesn't name one."""

    @property
    @abstractmethod
    def record_id(self) -> UUID:
        """Which record becomes stricter, or the case whose paper does; its lock is taken by `load`."""

    @abstractmethod
    async def load(self, tx: Tx, *, lock: bool = False) -> Record[M]:
        """The record that becomes stricter; NOT_FOUND also for another YOT's."""

    @abstractmethod
    async def check(self, tx: Tx, held: Record[M]) -> None:
        """Refuses what can't be done; afterwards it is done, sooner or later."""

    @abstractmethod
    def stricter(self, tx: Tx, held: M) -> M:
        """The new content, of whatever the record holds by now. Never refuses, never widens."""

    @abstractmethod
    def told(self, held: Record[M], version: int, content: M | None = None) -> NarrowRequest:
        """What to tell `consent`, without intent id: as asked, or as `content` has it."""

    async def commit(self, tx: Tx, held: Record[M], content: M) -> RecordRef:
        """Keeps the stricter content, as the record's next version unless a kind does otherwise."""
        return ref_of(await tx.records.update(held, content, reason=self.reason))

    @property
    @abstractmethod
    def reason(self) -> str:
        """Why, for the record."""


Kinds = Mapping[str, Callable[[bytes], Narrowing[Any]]]


class Narrower:
    """`ask` and `apply` of `ecm.kit.narrowing`, for the kinds of narrowings of this service."""

    def __init__(self, uow: UnitOfWork, consent: Consent, kinds: Kinds) -> None:
        self._uow = uow
        self._consent = consent
        self._kinds = kinds

    async def ask(self, kind: str, payload: bytes, intent_id: UUID) -> None:
        """Tells `consent` what was asked for, at the version that it will be if nothing comes between."""
        narrowing = self._kinds[kind](payload)
        async with self._uow.read(service_principal("referrals"), scope=UNLIMITED) as tx:
            held = await narrowing.load(tx)
        await self._tell(narrowing.told(held, _expected_next(narrowing)), intent_id)

    async def apply(self, tx: Tx, kind: str, payload: bytes) -> RecordRef:
        """Commits it to the newest version; tells `consent` anew where that isn't what it was told."""
        narrowing = self._kinds[kind](payload)
        held = await narrowing.load(tx, lock=True)
        content = narrowing.stricter(tx, held.content)
        if content == held.content:
            return ref_of(held)
        telling = narrowing.told(held, held.version + 1, content)
        if telling != narrowing.told(held, _expected_next(narrowing)):
            await self._tell(telling, uuid5(_NAMESPACE, f"{held.record_id}/{telling.SerializeToString().hex()}"))
        return await narrowing.commit(tx, held, content)

    async def check(self, tx: Tx, narrowing: Narrowing[Any]) -> None:
        """Whether the caller may: scope, version, rules, and that no other narrowing of the record is on its way.

        Two at once of the same detail would each be told as if there were no other.
        """
        held = await narrowing.load(tx, lock=True)
        if narrowing.expected_version is not None:
            check_version(held.version, narrowing.expected_version)
        await narrowing.check(tx, held)
        await check_not_open(tx, narrowing.record_id, narrowing.kind, self._kinds[narrowing.kind])

    async def _tell(self, request: NarrowRequest, intent_id: UUID) -> None:
        await self._consent.narrow(_with_id(request, intent_id))


async def check_not_open(tx: Tx, record_id: UUID, kind: str, parse: Callable[[bytes], Narrowing[Any]]) -> None:
    """VERSION_CONFLICT while a narrowing of the kind is on its way there; lock the record first."""
    t = narrowing_intent.c
    query = select(t.payload).where(t.kind == kind, t.done_at.is_(None), t.failed_at.is_(None))
    payloads = (await tx.conn.execute(query)).scalars()
    if any(parse(payload).record_id == record_id for payload in payloads):
        message = "A narrowing of this record is being completed already; read it again and repeat the command."
        raise DomainError(Reason.VERSION_CONFLICT, message)


def _expected_next(narrowing: Narrowing[Any]) -> int:
    return (narrowing.expected_version or 0) + 1


def _with_id(request: NarrowRequest, intent_id: UUID) -> NarrowRequest:
    sent = NarrowRequest()
    sent.CopyFrom(request)
    sent.intent_id = str(intent_id)
    return sent
