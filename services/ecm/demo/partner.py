"""A partner agency's system, as far as the journey needs one: FHIR over HTTP, and its Kafka topic."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from kafka import KafkaConsumer, TopicPartition

from ecm.admin.running import RunningRegion
from ecm.admin.whole_topics import client_settings
from ecm.kit.bus.topics import client_topic

FHIR_JSON = "application/fhir+json"
TOKEN_SECONDS = 200.0
Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TopicEvent:
    """One event of the partner's topic: what it says is where to fetch, nothing else."""

    type: str
    subject: str
    dataref: str
    sequence: int
    generation: str
    raw: bytes


@dataclass(slots=True)
class Partner:
    """One client of the region file: `partner.get("Patient/…")`, `partner.matches("Patient", identifier="…")`."""

    stack: RunningRegion
    client: str
    _http: httpx.Client = field(init=False)
    _token: str = ""
    _token_at: float = 0.0
    _begun_at: dict[TopicPartition, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._http = httpx.Client(base_url=self.stack.addresses["fhir"] + "/", timeout=20, trust_env=False)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Resource | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One request with this client's token; `path` is relative to the FHIR base, or a URL under it."""
        sent = {"Authorization": f"Bearer {self.token()}", "Accept": FHIR_JSON, **(headers or {})}
        content = json.dumps(body).encode() if body is not None else None
        if body is not None:
            sent["Content-Type"] = FHIR_JSON
        return self._http.request(method, path, params=query, headers=sent, content=content)

    def get(self, path: str, **query: str) -> httpx.Response:
        """Read `Type/id`, a page's URL or an event's `dataref`."""
        return self.request("GET", path, query=query or None)

    def create(self, resource: Resource, **headers: str) -> httpx.Response:
        """Create by POST; header names with `_` for `-`."""
        return self.request("POST", resource["resourceType"], body=resource, headers=_dashed(headers))

    def update(self, resource: Resource, **headers: str) -> httpx.Response:
        """Update by PUT."""
        path = f"{resource['resourceType']}/{resource['id']}"
        return self.request("PUT", path, body=resource, headers=_dashed(headers))

    def pages(self, path: str, **query: str) -> Iterator[Resource]:
        """All Bundles of a search, page by page. Raises `httpx.HTTPStatusError`."""
        answer = self.get(path, **query).raise_for_status().json()
        yield answer
        while following := next((link["url"] for link in answer.get("link", []) if link["relation"] == "next"), None):
            answer = self.get(following).raise_for_status().json()
            yield answer

    def matches(self, path: str, **query: str) -> list[Resource]:
        """All matching resources of a search (the notices left out)."""
        return [
            entry["resource"]
            for bundle in self.pages(path, **query)
            for entry in bundle.get("entry", [])
            if entry.get("search", {}).get("mode", "match") != "outcome"
        ]

    def patient(self, identifier: str) -> Resource | None:
        """The child by `system|value`, or None."""
        return next(iter(self.matches("Patient", identifier=identifier)), None)

    def everything(self, identifier: str) -> list[Resource]:
        """All that this client can see of the child now; empty where it can't find it."""
        found = self.patient(identifier)
        return self.matches(f"Patient/{found['id']}/$everything") if found else []

    def sight(self, identifier: str) -> Counter[str]:
        """How many resources of each type this client can see of the child now."""
        return Counter(resource["resourceType"] for resource in self.everything(identifier))

    def events(self, seconds: float = 3.0) -> list[TopicEvent]:
        """Every event of this client's topic, until `seconds` pass without a new one; without what was passed over."""
        with self._reading() as consumer:
            consumer.seek_to_beginning()
            for part, offset in self._begun_at.items():
                consumer.seek(part, offset)
            return [topic_event(record) for record in _drain(consumer, seconds)]

    def pass_over_events(self) -> None:
        """Leave out of `events` what stands on the topic now: it was told of somebody else."""
        with self._reading() as consumer:
            self._begun_at = consumer.end_offsets(list(consumer.assignment()))

    def token(self) -> str:
        """This client's access token, renewed before it ends."""
        if not self._token or time.monotonic() - self._token_at > TOKEN_SECONDS:
            self._token, self._token_at = self.stack.token(client=self.client), time.monotonic()
        return self._token

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    @contextmanager
    def _reading(self) -> Iterator[KafkaConsumer]:
        """A consumer of the whole topic."""
        topic = client_topic(self.stack.load_region().slug, self.client)
        consumer = self.consumer()
        try:
            numbers = sorted(consumer.partitions_for_topic(topic) or ())
            consumer.assign([TopicPartition(topic, number) for number in numbers])
            yield consumer
        finally:
            consumer.close()

    def consumer(self) -> KafkaConsumer:
        """A consumer with this client's credentials, of no group."""
        return KafkaConsumer(**client_settings(self.stack.kafka(self.client)), enable_auto_commit=False)


def _drain(consumer: KafkaConsumer, seconds: float) -> Iterator[Any]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for records in consumer.poll(timeout_ms=200).values():
            until = time.monotonic() + seconds
            yield from records


def topic_event(record: Any) -> TopicEvent:
    """The event in a record of a partner's topic."""
    headers = {name: value.decode() for name, value in record.headers}
    body = json.loads(record.value)
    return TopicEvent(
        type=headers["ce_type"].rsplit(".", 1)[-1],
        subject=headers.get("ce_subject", ""),
        dataref=body.get("dataref", ""),
        sequence=int(body.get("sequence", 0)),
        generation=str(body.get("generation", "")),
        raw=b"\n".join([record.key or b"", record.value, *(value for _, value in record.headers)]),
    )


def _dashed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
