"""Commands happen once per key; narrowings are finished whatever dies in between."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from contract.kit.builders import a_child, child
from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.referrals.v1.referrals_records_pb2 import Child
from ecm.api.referrals.v1.referrals_service_pb2 import RegisterChildRequest, RegisterChildResponse
from ecm.kit.auth.policy import rule
from ecm.kit.auth.principal import Principal
from ecm.kit.call import Call, answering
from ecm.kit.db.tables import idempotency, outbox
from ecm.kit.db.uow import Tx, UnitOfWork
from ecm.kit.errors import DomainError, Reason
from ecm.kit.narrowing import Narrowings
from ecm.kit.rpc.commands import Commands
from unit.kit.builders import FakeClock, person

REQUEST = RegisterChildRequest(child=child("A"))
OTHER = RegisterChildRequest(child=child("B"))


@contextmanager
def calling(key: str = "key-00001", who: Principal | None = None, method: str = "/s/Register") -> Iterator[None]:
    admitted = rule(people={"case-manager"}, command=True)
    with answering(Call(method, who or person(), admitted, float("inf"), key)):
        yield


async def register(tx: Tx, request: RegisterChildRequest) -> RecordRef:
    made = await tx.records.create("CHILD", request.child, child_id=None, yot="eastvale")
    return RecordRef(record_id=str(made.record_id), version=made.version)


async def count(uow: UnitOfWork, table: Any) -> int:
    async with uow.engine.connect() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


async def test_a_repeated_command_has_its_first_answer(uow: UnitOfWork) -> None:
    commands = Commands(uow)
    with calling():
        first = await commands.run(REQUEST, register, RegisterChildResponse)
        again = await commands.run(REQUEST, register, RegisterChildResponse)
    assert first == again and first.ref.version == 1
    assert await count(uow, outbox) == 1


async def test_at_once_from_many_sides_it_happens_once(uow: UnitOfWork) -> None:
    commands = Commands(uow)
    with calling():
        answers = await asyncio.gather(*(commands.run(REQUEST, register, RegisterChildResponse) for _ in range(5)))
    assert len({answer.ref.record_id for answer in answers}) == 1
    assert await count(uow, outbox) == 1


async def test_a_reused_key_is_refused_and_keeps_its_answer(uow: UnitOfWork) -> None:
    commands = Commands(uow)
    with calling():
        first = await commands.run(REQUEST, register, RegisterChildResponse)
        with pytest.raises(DomainError) as caught:
            await commands.run(OTHER, register, RegisterChildResponse)
        assert caught.value.reason is Reason.IDEMPOTENCY_KEY_REUSED
        assert await commands.run(REQUEST, register, RegisterChildResponse) == first


async def test_keys_are_each_principals_and_each_methods_own(uow: UnitOfWork) -> None:
    commands = Commands(uow)
    for who, method in ((person(), "/s/Register"), (person(subject="b"), "/s/Register"), (person(), "/s/Other")):
        with calling(who=who, method=method):
            await commands.run(REQUEST, register, RegisterChildResponse)
    assert await count(uow, outbox) == 3


async def test_a_refusal_is_repeated_without_asking_again(uow: UnitOfWork) -> None:
    asked = 0

    async def refuse(tx: Tx, request: RegisterChildRequest) -> RecordRef:
        nonlocal asked
        asked += 1
        await register(tx, request)
        raise DomainError(Reason.INVALID_VALUE, "No such day.", field="child.birth_date")

    for _ in range(2):
        with calling(), pytest.raises(DomainError) as caught:
            await Commands(uow).run(REQUEST, refuse, RegisterChildResponse)
        assert (caught.value.reason, caught.value.field) == (Reason.INVALID_VALUE, "child.birth_date")
    assert asked == 1 and await count(uow, outbox) == 0


async def test_a_refusal_for_the_state_of_things_leaves_the_key_free(uow: UnitOfWork) -> None:
    async def refuse(tx: Tx, request: RegisterChildRequest) -> RecordRef:
        await register(tx, request)
        raise DomainError(Reason.CONSENT_REQUIRED, "Not given yet.")

    with calling():
        with pytest.raises(DomainError):
            await Commands(uow).run(REQUEST, refuse, RegisterChildResponse)
        assert await count(uow, idempotency) == 0
        assert (await Commands(uow).run(REQUEST, register, RegisterChildResponse)).ref.version == 1


async def test_what_passes_by_itself_leaves_the_key_free(uow: UnitOfWork) -> None:
    async def away(tx: Tx, request: RegisterChildRequest) -> RecordRef:
        raise DomainError(Reason.PEER_UNREACHABLE, "Away.")

    async def broken(tx: Tx, request: RegisterChildRequest) -> RecordRef:
        raise RuntimeError

    with calling():
        with pytest.raises(DomainError):
            await Commands(uow).run(REQUEST, away, RegisterChildResponse)
        with pytest.raises(RuntimeError):
            await Commands(uow).run(REQUEST, broken, RegisterChildResponse)
        assert await count(uow, idempotency) == 0
        assert (await Commands(uow).run(REQUEST, register, RegisterChildResponse)).ref.version == 1


async def test_nothing_of_the_request_is_kept(uow: UnitOfWork) -> None:
    with calling():
        await Commands(uow).run(RegisterChildRequest(child=child("Secretname")), register, RegisterChildResponse)
    async with uow.engine.connect() as connection:
        row = (await connection.execute(select(idempotency))).one()
    assert b"Secretname" not in b"".join(value for value in row if isinstance(value, bytes))


class Consent:
    """Consent's side of a narrowing: away, refusing, or noting each intent it hears of."""

    def __init__(self) -> None:
        self.away = False
        self.refuses = False
        self.heard: list[UUID] = []

    async def ask(self, kind: str, payload: bytes, intent_id: UUID) -> None:
        if self.away:
            raise DomainError(Reason.PEER_UNREACHABLE, "Away.")
        if self.refuses:
            raise DomainError(Reason.ILLEGAL_TRANSITION, "Not now.")
        self.heard.append(intent_id)


async def flag(tx: Tx, kind: str, payload: bytes) -> RecordRef:
    """The stricter state: the child's name becomes what the payload says."""
    wanted = RecordRef.FromString(payload)
    held = await tx.records.get(UUID(wanted.record_id), Child, lock=True)
    saved = await tx.records.update(held, child(kind))
    return RecordRef(record_id=wanted.record_id, version=saved.version)


async def version(uow: UnitOfWork, record_id: UUID) -> int:
    async with uow.read(person()) as tx:
        return (await tx.records.get(record_id, Child)).version


async def test_a_narrowing_asks_first_and_commits_then(uow: UnitOfWork) -> None:
    made, consent = await a_child(uow), Consent()
    payload = RecordRef(record_id=str(made.record_id))
    commands, narrowings = Commands(uow), Narrowings(uow, consent.ask, flag)
    with calling():
        for _ in range(2):
            answer = await commands.run_narrowing(REQUEST, "FLAG", payload, narrowings, RegisterChildResponse)
            assert answer.ref.version == 2
    assert len(consent.heard) == 1


async def test_consent_away_the_intent_stays_and_the_worker_finishes_it(uow: UnitOfWork, clock: FakeClock) -> None:
    made, consent = await a_child(uow), Consent()
    payload = RecordRef(record_id=str(made.record_id))
    commands, narrowings = Commands(uow), Narrowings(uow, consent.ask, flag)
    consent.away = True
    with calling(), pytest.raises(DomainError) as caught:
        await commands.run_narrowing(REQUEST, "FLAG", payload, narrowings, RegisterChildResponse)
    assert caught.value.reason is Reason.CONSENT_UNREACHABLE
    assert await version(uow, made.record_id) == 1
    consent.away = False
    await narrowings.finish_open()
    assert await version(uow, made.record_id) == 1, "a running command isn't overtaken"
    clock.advance(6)
    await narrowings.finish_open()
    await narrowings.finish_open()
    assert await version(uow, made.record_id) == 2 and len(consent.heard) == 1
    with calling():
        answer = await commands.run_narrowing(REQUEST, "FLAG", payload, narrowings, RegisterChildResponse)
    assert answer.ref.version == 2 and len(consent.heard) == 1


async def test_a_crash_after_consents_answer_is_finished_under_the_same_id(uow: UnitOfWork, clock: FakeClock) -> None:
    made, consent = await a_child(uow), Consent()
    payload = RecordRef(record_id=str(made.record_id))

    async def crash(tx: Tx, kind: str, payload: bytes) -> RecordRef:
        raise RuntimeError("kill -9")

    with calling(), pytest.raises(RuntimeError):
        await Commands(uow).run_narrowing(
            REQUEST, "FLAG", payload, Narrowings(uow, consent.ask, crash), RegisterChildResponse
        )
    clock.advance(6)
    await Narrowings(uow, consent.ask, flag).finish_open()
    assert await version(uow, made.record_id) == 2
    assert len(consent.heard) == 2 and len(set(consent.heard)) == 1


async def test_the_check_decides_before_anything_is_told(uow: UnitOfWork) -> None:
    made, consent = await a_child(uow, yot="westmoor"), Consent()

    async def in_scope(tx: Tx) -> None:
        await tx.records.get(made.record_id, Child)

    narrowings = Narrowings(uow, consent.ask, flag)
    payload = RecordRef(record_id=str(made.record_id))
    with calling(), pytest.raises(DomainError) as caught:
        await Commands(uow).run_narrowing(REQUEST, "FLAG", payload, narrowings, RegisterChildResponse, check=in_scope)
    assert caught.value.reason is Reason.NOT_FOUND and consent.heard == []


async def test_consents_refusal_ends_the_intent_and_is_repeated(uow: UnitOfWork, clock: FakeClock) -> None:
    made, consent = await a_child(uow), Consent()
    consent.refuses = True
    narrowings = Narrowings(uow, consent.ask, flag)
    payload = RecordRef(record_id=str(made.record_id))
    for _ in range(2):
        with calling(), pytest.raises(DomainError) as caught:
            await Commands(uow).run_narrowing(REQUEST, "FLAG", payload, narrowings, RegisterChildResponse)
        assert caught.value.reason is Reason.ILLEGAL_TRANSITION
        consent.refuses = False
    clock.advance(6)
    await narrowings.finish_open()
    assert consent.heard == [] and await version(uow, made.record_id) == 1
