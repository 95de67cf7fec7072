"""Records: versions, locks, scope and thin events, on the real database."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from contract.kit.builders import a_child, child
from ecm.api.common.v1 import record_pb2
from ecm.api.referrals.v1.referrals_events_pb2 import RECORD_KIND_CHILD, RecordChanged
from ecm.api.referrals.v1.referrals_records_pb2 import Case, Child
from ecm.kit.auth.policy import rule
from ecm.kit.auth.principal import service_principal
from ecm.kit.call import Call, answering
from ecm.kit.db.tables import outbox
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.errors import DomainError, Reason
from ecm.kit.trace import new_trace, with_trace
from unit.kit.builders import FakeClock, person

EXCHANGE = service_principal("exchange")


async def events(uow: UnitOfWork) -> list[RecordChanged]:
    async with uow.engine.connect() as connection:
        rows = await connection.execute(select(outbox).order_by(outbox.c.id))
        return [RecordChanged.FromString(row.value) for row in rows]


async def test_versions_are_kept_with_who_and_when(uow: UnitOfWork, clock: FakeClock) -> None:
    made = await a_child(uow)
    clock.advance(60)
    async with uow.begin(person(subject="someone-else")) as tx:
        held = await tx.records.get(made.record_id, Child, lock=True)
        changed = await tx.records.update(held, child("Somebody"), expected_version=1, reason="asked")
    assert (changed.version, changed.recorded_by, changed.reason) == (2, "someone-else", "asked")
    async with uow.read(EXCHANGE) as tx:
        (first, second), more = await tx.records.versions(made.record_id, after=0)
        assert not more
        assert await tx.records.versions(made.record_id, after=2) == ([], False)
    assert (first.version, first.change, first.recorded_by) == (1, record_pb2.CHANGE_CREATED, "case-manager")
    assert (second.version, second.change) == (2, record_pb2.CHANGE_CHANGED)
    assert second.recorded_at.ToDatetime() > first.recorded_at.ToDatetime()
    assert first.child_id == first.record_id and first.yot == "eastvale" and first.kind == "CHILD"
    content = Child()
    assert second.content.Unpack(content) and content.family_name == "Somebody"


async def test_each_version_has_one_thin_event_in_order(uow: UnitOfWork) -> None:
    made = await a_child(uow)
    async with uow.begin(person()) as tx:
        case = await tx.records.create("CASE", Case(), child_id=made.record_id, case_id=uuid4(), yot="eastvale")
        held = await tx.records.update(made, child("Somebody"))
        await tx.records.close(held, reason="wrong child")
    told = await events(uow)
    assert [(e.record_id, e.version, e.change) for e in told] == [
        (str(made.record_id), 1, record_pb2.CHANGE_CREATED),
        (str(case.record_id), 1, record_pb2.CHANGE_CREATED),
        (str(made.record_id), 2, record_pb2.CHANGE_CHANGED),
        (str(made.record_id), 3, record_pb2.CHANGE_CLOSED),
    ]
    assert told[0].kind == RECORD_KIND_CHILD and told[1].child_id == str(made.record_id)
    assert all(b"Somebody" not in event.SerializeToString() for event in told)


async def test_the_trace_follows_into_the_outbox(uow: UnitOfWork) -> None:
    parent = new_trace()
    with with_trace(parent.traceparent):
        await a_child(uow)
    async with uow.engine.connect() as connection:
        row = (await connection.execute(select(outbox))).one()
    assert row.traceparent.split("-")[1] == parent.trace_id


async def test_the_same_content_makes_no_version(uow: UnitOfWork) -> None:
    made = await a_child(uow)
    async with uow.begin(person()) as tx:
        assert (await tx.records.update(made, child())).version == 1
    assert len(await events(uow)) == 1


async def test_a_rolled_back_transaction_leaves_nothing(uow: UnitOfWork) -> None:
    with pytest.raises(RuntimeError):
        async with uow.begin(person()) as tx:
            await tx.records.create("CHILD", child(), child_id=None, yot="eastvale")
            raise RuntimeError
    assert await events(uow) == []


async def test_version_conflicts(uow: UnitOfWork) -> None:
    made = await a_child(uow)
    async with uow.begin(person()) as tx:
        await tx.records.update(made, child("A"))
    for expected in (None, 1, 3):
        with pytest.raises(DomainError) as caught:
            async with uow.begin(person()) as tx:
                await tx.records.update(made, child("B"), expected_version=expected)
        assert caught.value.reason is Reason.VERSION_CONFLICT
    assert caught.value.metadata == {"version": "2"}


async def test_of_concurrent_updates_one_wins(uow: UnitOfWork) -> None:
    made = await a_child(uow)

    async def attempt(name: str) -> bool:
        try:
            async with uow.begin(person()) as tx:
                held = await tx.records.get(made.record_id, Child)
                await tx.records.update(held, child(name), expected_version=1)
        except DomainError as error:
            assert error.reason is Reason.VERSION_CONFLICT
            return False
        return True

    assert sum(await asyncio.gather(*(attempt(f"N{n}") for n in range(5)))) == 1


async def test_locked_reads_queue_up(uow: UnitOfWork) -> None:
    made = await a_child(uow)

    async def append(n: int) -> None:
        async with uow.begin(person()) as tx:
            held = await tx.records.get(made.record_id, Child, lock=True)
            await tx.records.update(held, child(f"{held.content.family_name}+{n}"))

    await asyncio.gather(*(append(n) for n in range(4)))
    async with uow.read(EXCHANGE) as tx:
        assert (await tx.records.get(made.record_id, Child)).version == 5
    told = await events(uow)
    assert [event.version for event in told] == [1, 2, 3, 4, 5]


async def test_a_closed_record_takes_no_more(uow: UnitOfWork) -> None:
    made = await a_child(uow)
    async with uow.begin(person()) as tx:
        closed = await tx.records.close(made, reason="ended")
        assert await tx.records.close(closed, reason="again") == closed
        with pytest.raises(DomainError) as caught:
            await tx.records.update(closed, child("B"))
    assert caught.value.reason is Reason.ILLEGAL_TRANSITION
    async with uow.read(EXCHANGE) as tx:
        assert await tx.records.list("CHILD", Child) == []
        assert [r.closed for r in await tx.records.list("CHILD", Child, include_closed=True)] == [True]
        (newest,), _ = await tx.records.of_child(made.record_id)
        assert newest.change == record_pb2.CHANGE_CLOSED


async def test_another_yots_record_is_not_found(uow: UnitOfWork) -> None:
    made = await a_child(uow, yot="westmoor")
    async with uow.read(person(("eastvale", "case-manager"))) as tx:
        assert await tx.records.list("CHILD", Child) == []
        assert await tx.records.of_child(made.record_id) == ([], False)
        for read in (tx.records.get(made.record_id, Child), tx.records.versions(made.record_id, 0)):
            with pytest.raises(DomainError) as caught:
                await read
            absent = caught.value
            assert absent.reason is Reason.NOT_FOUND
    with pytest.raises(DomainError) as caught:
        async with uow.read(person()) as tx:
            await tx.records.versions(uuid4(), 0)
    assert caught.value.message == absent.message, "nobody can tell another's from none"


async def test_kind_and_message_must_fit(uow: UnitOfWork) -> None:
    made = await a_child(uow)
    async with uow.read(EXCHANGE) as tx:
        for read in (tx.records.get(made.record_id, Case), tx.records.get(made.record_id, Child, kind="CASE")):
            with pytest.raises(DomainError) as caught:
                await read
            assert caught.value.reason is Reason.NOT_FOUND


async def test_creation_needs_a_role_in_that_yot(uow: UnitOfWork) -> None:
    for yot, who, reason in (
        ("westmoor", person(("eastvale", "case-manager")), Reason.PERMISSION_DENIED),
        ("", person(("eastvale", "administrator")), Reason.PERMISSION_DENIED),
        ("atlantis", EXCHANGE, Reason.INVALID_VALUE),
    ):
        with pytest.raises(DomainError) as caught:
            async with uow.begin(who) as tx:
                await tx.records.create("CHILD", child(), child_id=None, yot=yot)
        assert caught.value.reason is reason


async def test_a_taken_id_is_said(uow: UnitOfWork) -> None:
    made = await a_child(uow)
    with pytest.raises(DomainError) as caught:
        async with uow.begin(EXCHANGE) as tx:
            await tx.records.create("CHILD", child(), child_id=None, yot="eastvale", record_id=made.record_id)
    assert caught.value.reason is Reason.ALREADY_EXISTS


async def test_only_roles_that_the_method_admits_count(uow: UnitOfWork) -> None:
    made = await a_child(uow, yot="westmoor")
    who = person(("eastvale", "case-manager"), ("westmoor", "analyst"))
    admitted = rule(people={"case-manager"})
    with answering(Call("/x/Y", who, admitted, float("inf"))):
        with pytest.raises(DomainError) as caught:
            async with uow.read() as tx:
                await tx.records.get(made.record_id, Child)
        assert caught.value.reason is Reason.NOT_FOUND
    with answering(Call("/x/Y", who, rule(people={"analyst"}), float("inf"))):
        async with uow.read() as tx:
            assert (await tx.records.get(made.record_id, Child)).version == 1


async def test_reads_cannot_write(uow: UnitOfWork) -> None:
    with pytest.raises(Exception, match="read-only"):
        async with uow.read(EXCHANGE) as tx:
            await tx.records.create("CHILD", child(), child_id=None, yot="eastvale")


async def test_a_lock_held_too_long_is_a_passing_failure(uow: UnitOfWork) -> None:
    made = await a_child(uow)
    async with uow.begin(EXCHANGE) as holder:
        await holder.records.get(made.record_id, Child, lock=True)
        with pytest.raises(DomainError) as caught:
            async with uow.begin(EXCHANGE) as tx:
                await tx.conn.execute(text("SET LOCAL lock_timeout = '100ms'"))
                await tx.records.get(made.record_id, Child, lock=True)
    assert caught.value.reason is Reason.PEER_UNREACHABLE and caught.value.retryable


async def test_pages_are_bounded_in_bytes_and_miss_nothing(uow: UnitOfWork) -> None:
    made = await a_child(uow)
    async with uow.begin(person()) as tx:
        for size in (0, 3, 0, 1, 5, 0, 0):
            large = Case(case_manager="x" * size * 2**20)
            await tx.records.create("CASE", large, child_id=made.record_id, case_id=uuid4(), yot="eastvale")
        for size in (3, 2, 1):
            made = await tx.records.update(made, child("x" * size * 2**20))
    async with uow.read(EXCHANGE) as tx:
        pages = [await tx.records.of_child(made.record_id)]
        while pages[-1].more:
            pages.append(await tx.records.of_child(made.record_id, pages[-1].next_page_token))
        whole = [version.record_id for page in pages for version in page.versions]
        sizes = [sum(len(version.content.value) for version in page.versions) >> 20 for page in pages]
        first, second = await tx.records.versions(made.record_id, 0), await tx.records.versions(made.record_id, 3)
    assert len(whole) == len(set(whole)) == 8
    assert max(sizes) <= 4 + 5
    assert all(size >= 4 for size in sizes[:-1])
    assert (len(first.versions), first.more, len(second.versions), second.more) == (3, True, 1, False)
