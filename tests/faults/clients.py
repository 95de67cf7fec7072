"""Good clients: what passes by itself is tried again, a command always with the key that it had at first."""

import contextlib
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import grpc
import httpx
from kafka.errors import KafkaError

from ecm.admin.errors import OperatorError
from ecm.admin.whole_topics import read_whole
from ecm.api.consent.v1.consent_service_pb2 import ENFORCEMENT_STATE_ENFORCING
from ecm.demo.partner import Partner, Resource, TopicEvent, topic_event
from ecm.demo.yot import Yot
from ecm.kit.bus.topics import client_topic
from ecm.kit.rpc.channel import OPTIONS
from faults.ledger import Command, Ledger

PASSING_CODES = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
)
PASSING_STATUSES = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
QUESTIONS = ("Get", "List", "Find", "Explain", "Verify")

OnCommand = Callable[[], None]
"""Called before a command is first sent: here faults begin."""


def quietly() -> None:
    """Nothing happens at a command."""


class NotNowError(Exception):
    """A partner's request was answered with a status that passes by itself."""


@dataclass(slots=True)
class GoodYot(Yot):
    """A YOT's case-management system that never gives up within its patience."""

    ledger: Ledger = field(kw_only=True)
    on_command: OnCommand = field(default=quietly, kw_only=True)

    def call(self, person: str, method: Callable[..., Any], request: Any, *, key: str = "") -> Any:
        """As `Yot.call`; a withdrawal is said again until it is enforced."""
        _, service, name = _names(method)
        if name.startswith(QUESTIONS):
            return self._ask(person, method, request, key)
        self.on_command()
        sent = time.monotonic()
        answer = self._ask(person, method, request, key or str(uuid.uuid4()))
        while name == "Withdraw" and answer.enforcement.state == ENFORCEMENT_STATE_ENFORCING:
            answer = self._ask(person, method, request, str(uuid.uuid4()))
        if answer.HasField("ref"):
            ref = answer.ref
            self.ledger.note(Command(service, name, ref.record_id, ref.version, sent, time.monotonic()))
        return answer

    def _ask(self, person: str, method: Callable[..., Any], request: Any, key: str) -> Any:
        return self.ledger.persist(lambda: Yot.call(self, person, method, request, key=key), _passes)

    def _channel(self, service: str) -> grpc.Channel:
        channel = grpc.insecure_channel(self.stack.addresses[service], options=OPTIONS)
        self._channels.append(channel)
        return channel


@dataclass(slots=True)
class GoodPartner(Partner):
    """A partner's system that repeats what passes by itself, writes with their `Idempotency-Key`."""

    ledger: Ledger = field(kw_only=True)
    on_command: OnCommand = field(default=quietly, kw_only=True)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Resource | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """As `Partner.request`; the last answer, which is none of those that pass by themselves."""
        sent = dict(headers or {})
        if method != "GET":
            sent.setdefault("Idempotency-Key", str(uuid.uuid4()))
            self.on_command()

        def once() -> httpx.Response:
            answer = Partner.request(self, method, path, body=body, headers=sent, query=query)
            if answer.status_code in PASSING_STATUSES:
                raise NotNowError(f"HTTP {answer.status_code}")
            return answer

        answer = self.ledger.persist(once, _passes)
        self.ledger.count(self.client)
        return answer

    def events(self, seconds: float = 0.0) -> list[TopicEvent]:
        """Every event that stands on the topic when it is asked; a reading that a fault cuts short is begun anew."""
        del seconds
        return self.ledger.persist(self._read_topic, _passes)

    def _read_topic(self) -> list[TopicEvent]:
        topic = client_topic(self.stack.load_region().slug, self.client)
        consumer = self.consumer()
        with contextlib.closing(consumer):
            return [topic_event(record) for record in read_whole(consumer, [topic])]


def _passes(error: Exception) -> str:
    """What the refusal is called, where trying again may help; "" where it is an answer."""
    if isinstance(error, grpc.Call):
        return str(error.code().name) if error.code() in PASSING_CODES else ""
    if isinstance(error, NotNowError):
        return str(error)
    # A token that the issuer can't give, a connection that ends, a topic that can't be read.
    return type(error).__name__ if isinstance(error, OperatorError | httpx.TransportError | KafkaError) else ""


def _names(method: Any) -> tuple[str, str, str]:
    """Of `/ecm.api.consent.v1.ConsentService/Withdraw`: the path, `consent`, `Withdraw`."""
    path = method._method if isinstance(method._method, str) else method._method.decode()
    whole, name = path.strip("/").split("/")
    return path, whole.split(".")[2], name
