"""`ecm dlq`: an event that a consumer gave up is listed, shown, sent again once mended, or set aside."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from kafka import KafkaConsumer

from admin.test_deployment import described
from cli.test_cli import ecm
from contract.kit.test_bus import running, until
from ecm.admin.dead_letters import copied
from ecm.admin.names import app_role
from ecm.admin.whole_topics import client_settings, read_whole
from ecm.api.formulation.v1.formulation_events_pb2 import RECORD_KIND_REPORT, RecordChanged
from ecm.kit.bus.consumer import Consumer
from ecm.kit.bus.events import Event, encode_headers
from ecm.kit.bus.handling import in_transaction
from ecm.kit.bus.producer import Sender, make_producer
from ecm.kit.bus.topics import dead_letter_topic, service_topic
from ecm.kit.db.migrations import migrate
from ecm.kit.db.uow import Tx
from ecm.kit.service import Runtime, runtime_of
from ecm.kit.trace import new_trace
from ecm.local.stack import Stack
from ecm.monitoring.settings import MonitoringSettings
from ecm.monitoring.store import record_events

TOPIC = service_topic("example", "formulation")


class Killed(Consumer):
    """A consumer that ends before it has committed what it did."""

    async def _commit_sometimes(self, kafka: Any) -> None:
        """It doesn't come to that."""


class Faulty:
    """A handler that can't take some events until it is mended; the ids of those whose effect it had."""

    def __init__(self, *poison: str) -> None:
        self.poison = set(poison)
        self.done: list[str] = []

    async def handle(self, event: Event, tx: Tx) -> None:
        if event.id in self.poison:
            raise ValueError("Quillon Zephyrson of 4 Invented Terrace")
        self.done.append(event.id)


@pytest.fixture
async def runtime(infrastructure: Stack) -> AsyncIterator[Runtime]:
    """What `monitoring` is built of, with its own rights on topics and groups."""
    await migrate("monitoring", infrastructure.database_url("monitoring", "owner"), app_role("monitoring"))
    values = {name.removeprefix("ECM_").lower(): value for name, value in infrastructure.env("monitoring").items()}
    known = MonitoringSettings.model_fields.keys()
    settings = MonitoringSettings(**{name: value for name, value in values.items() if name in known})
    async with runtime_of(settings, record_events()) as made:
        yield made


async def send(infrastructure: Stack, runtime: Runtime, count: int) -> list[Event]:
    """Events of `formulation`'s, sent with the administrator's rights."""
    admin = infrastructure.kafka("ecm-admin")
    held = {"kafka_username": admin.username, "kafka_password": admin.password}
    settings = MonitoringSettings(**{**runtime.settings.model_dump(), **held})
    value = RecordChanged(record_id=str(uuid4()), kind=RECORD_KIND_REPORT, version=3).SerializeToString()
    names = (RecordChanged.DESCRIPTOR.full_name, "/example/formulation", datetime.now(UTC), str(uuid4()))
    events = [Event(str(uuid4()), *names, new_trace().traceparent, value) for _ in range(count)]
    sender = Sender(lambda: make_producer(settings), TOPIC)
    await sender.send([(event.key.encode(), event.value, encode_headers(event)) for event in events])
    await sender.close()
    return events


def letters(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stack: Stack) -> dict[str, str]:
    """Event id → letter id, of those that `ecm dlq list` says wait."""
    capsys.readouterr()  # what the consumer beside it logged
    assert ecm(monkeypatch, "dlq", "list", "--json", "--state", str(stack.paths.root)) == 0
    return {one["event"].get("ce_id", ""): one["id"] for one in json.loads(capsys.readouterr().out)}


async def test_given_up_shown_replayed_and_discarded(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    infrastructure: Stack,
    runtime: Runtime,
    tmp_path: Path,
) -> None:
    state = ("--state", str(infrastructure.paths.root))
    events = await send(infrastructure, runtime, 3)
    poisoned, unwanted, good = (event.id for event in events)
    faulty = Faulty(poisoned, unwanted)
    group = f"ecm-monitoring.test-{uuid4().hex[:8]}"
    consumer = Consumer(runtime.settings, [TOPIC], group, in_transaction(faulty.handle), runtime.uow)
    async with running(consumer.run):
        await until(lambda: good in faulty.done, seconds=40)
        waiting = letters(monkeypatch, capsys, infrastructure)
        assert {poisoned, unwanted} <= waiting.keys() and good not in waiting

        capsys.readouterr()
        assert ecm(monkeypatch, "dlq", "show", waiting[poisoned], *state) == 0
        shown = capsys.readouterr().out
        found = json.loads(shown)
        assert (found["consumer"], found["error_class"], found["attempts"]) == ("monitoring", "ValueError", "3")
        assert found["event"]["content"]["kind"] == "RECORD_KIND_REPORT" and "Quillon" not in shown

        faulty.poison.clear()
        assert ecm(monkeypatch, "dlq", "replay", waiting[poisoned], *state) == 0
        await until(lambda: poisoned in faulty.done, seconds=40)
    assert ecm(monkeypatch, "dlq", "discard", waiting[unwanted], "--why", "superseded", *state) == 0
    capsys.readouterr()
    assert not {poisoned, unwanted} & letters(monkeypatch, capsys, infrastructure).keys()
    assert faulty.done.count(poisoned) == faulty.done.count(good) == 1 and unwanted not in faulty.done

    assert ecm(monkeypatch, "dlq", "replay", waiting[unwanted], *state) == 1, "somebody has decided already"
    assert "discarded already" in capsys.readouterr().err
    # The same region, as one that runs elsewhere.
    described(tmp_path, infrastructure)
    assert ecm(monkeypatch, "dlq", "list", "--all", "--against", str(tmp_path / "somewhere.env")) == 0
    assert "replayed" in (listed := capsys.readouterr().out) and "discarded" in listed


async def test_a_consumer_that_was_killed_gives_up_twice_and_it_is_one_letter(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], infrastructure: Stack, runtime: Runtime
) -> None:
    state = ("--state", str(infrastructure.paths.root))
    poisoned, good = (event.id for event in await send(infrastructure, runtime, 2))
    faulty, group = Faulty(poisoned), f"ecm-monitoring.test-{uuid4().hex[:8]}"

    async def given_up() -> int:
        return (await asyncio.to_thread(buried, infrastructure)).count(poisoned)

    async def once() -> bool:
        return await given_up() == 1

    async def twice() -> bool:
        return await given_up() == 2

    async with running(Killed(runtime.settings, [TOPIC], group, in_transaction(faulty.handle), runtime.uow).run):
        await until(once, seconds=40)
    async with running(Consumer(runtime.settings, [TOPIC], group, in_transaction(faulty.handle), runtime.uow).run):
        await until(twice, seconds=40)
        letter = letters(monkeypatch, capsys, infrastructure)[poisoned]
        assert ecm(monkeypatch, "dlq", "list", *state) == 0
        listed = capsys.readouterr().out
        assert letter in listed and listed.count("ValueError") == 1
        faulty.poison.clear()
        assert ecm(monkeypatch, "dlq", "replay", letter, *state) == 0
        await until(lambda: poisoned in faulty.done, seconds=40)
    assert poisoned not in letters(monkeypatch, capsys, infrastructure)
    assert faulty.done.count(poisoned) == faulty.done.count(good) == 1


def buried(stack: Stack) -> list[str]:
    """The events on the dead letters' topic, each as often as it stands there."""
    topic = dead_letter_topic(TOPIC, "monitoring")
    with closing(KafkaConsumer(**client_settings(stack.kafka("ecm-admin")))) as consumer:
        found = [dict(record.headers) for record in read_whole(consumer, [topic])]
    return [headers["ce_id"].decode() for headers in found if "ce_id" in headers]


def a_record(offset: int, event: str, message: int, *, topic: str = "dlq") -> Any:
    """A dead letter of an event that was read at the offset `message`; "" is no event."""
    noted = [("ecm-dead-topic", b"source"), ("ecm-dead-partition", b"0"), ("ecm-dead-offset", str(message).encode())]
    headers = [*([("ce_id", event.encode())] if event else []), *noted]
    return SimpleNamespace(topic=topic, partition=0, offset=offset, headers=headers)


@pytest.mark.parametrize(
    ("records", "decided", "expected"),
    [
        ([a_record(0, "a", 7), a_record(1, "b", 8)], {}, [[0], [1]]),
        ([a_record(0, "a", 7), a_record(1, "b", 8), a_record(2, "a", 7)], {}, [[0, 2], [1]]),
        ([a_record(0, "", 7), a_record(1, "", 8), a_record(2, "", 7)], {}, [[0, 2], [1]]),
        # The relay sent it twice, since the first answer was lost.
        ([a_record(0, "a", 7), a_record(1, "a", 9)], {}, [[0, 1]]),
        ([a_record(0, "a", 7), a_record(1, "a", 9)], {"0:0": 5}, [[0, 1]]),
        # Sent again by an administrator, and given up again.
        ([a_record(0, "a", 7), a_record(2, "a", 9)], {"0:0": 1}, [[0], [2]]),
        # A copy of what was decided already is decided too; what was sent again isn't.
        ([a_record(0, "a", 7), a_record(2, "a", 7), a_record(3, "a", 9)], {"0:0": 1}, [[0, 2], [3]]),
        ([a_record(0, "a", 7, topic="one"), a_record(0, "a", 7, topic="another")], {}, [[0], [0]]),
    ],
)
def test_copies(records: list[Any], decided: dict[str, int], expected: list[list[int]]) -> None:
    settled = {("dlq", place): SimpleNamespace(offset=offset) for place, offset in decided.items()}
    assert [[copy.offset for copy in letter] for letter in copied(records, settled)] == expected
