"""`ecm dlq`: an event that a consumer gave up is listed, shown, sent again once mended, or set aside."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from admin.test_deployment import described
from cli.test_cli import ecm
from contract.kit.test_bus import running, until
from ecm.admin.names import app_role
from ecm.api.formulation.v1.formulation_events_pb2 import RECORD_KIND_REPORT, RecordChanged
from ecm.kit.bus.consumer import Consumer
from ecm.kit.bus.events import Event, encode_headers
from ecm.kit.bus.producer import Sender, make_producer
from ecm.kit.bus.topics import service_topic
from ecm.kit.db.migrations import migrate
from ecm.kit.db.uow import Tx
from ecm.kit.service import Runtime, runtime_of
from ecm.kit.trace import new_trace
from ecm.local.stack import Stack
from ecm.monitoring.settings import MonitoringSettings
from ecm.monitoring.store import record_events

TOPIC = service_topic("example", "formulation")


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
    consumer = Consumer(runtime.settings, [TOPIC], group, faulty.handle, runtime.uow)
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
