"""The whole HTTP side under requests that Schemathesis makes of the OpenAPI document, and under hostile writes."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig

from attack.calls import LEAKS
from attack.hostile import CANARY, hostile_json, text
from attack.parsers import GOOD
from ecm.demo import fhir
from ecm.demo.partner import FHIR_JSON
from ecm.exchange.ig.openapi import openapi
from ecm.local.stack import Stack

SERVER_FAULT, REFUSED = 500, 400


@dataclass
class Web:
    """Requests of one client, each answer checked. `hidden` are words that no answer may hold; `ids` are real."""

    stack: Stack
    client: str
    hidden: tuple[str, ...]
    ids: tuple[str, ...]
    statuses: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._base = self.stack.addresses["fhir"]

    def headers(self) -> dict[str, str]:
        """The client's own token."""
        return {"Authorization": f"Bearer {self.stack.token(client=self.client)}"}

    def explore(self, examples: int, number: int, *, every: int = 1) -> None:
        """So many requests for each operation (or for one in `every`), that keep to the document and that break it."""
        document = openapi()
        generation = GenerationConfig(with_security_parameters=False)
        config = SchemathesisConfig(projects=ProjectsConfig(default=ProjectConfig(generation=generation)))
        schema: Any = schemathesis.openapi.from_dict(document, config=config)
        sent, ids = self.headers(), itertools.cycle((None, *self.ids))
        for found in itertools.islice(schema.get_all_operations(), number % every, None, every):
            for mode in GenerationMode:
                self._attempt(found.ok(), mode, examples, number, (sent, ids))

    def _attempt(self, operation: Any, mode: GenerationMode, examples: int, number: int, given_: Any) -> None:
        sent, ids = given_

        @seed(number)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            known = next(ids)
            if known and "id" in case.path_parameters:
                case.path_parameters["id"] = known
            answer = case.call(base_url=self._base, session=self._session, headers=sent)
            self.check(answer.status_code, answer.content, answer.headers, f"{operation.label} {case.path_parameters}")

        try:
            ask()
        except Unsatisfiable:
            # What takes no parameters can't be asked wrongly.
            assert mode is GenerationMode.NEGATIVE

    def write(self, count: int, number: int) -> None:
        """So many hostile writes about a child who doesn't exist: all are refused."""
        sent = self.headers()
        for each in range(count):
            random = Random(f"{number}/{each}")
            interaction, good = random.choice(GOOD)
            url = f"{self._base}/{good['resourceType']}" + (f"/{good['id']}" if interaction == "update" else "")
            method = "PUT" if interaction == "update" else "POST"
            headers = sent | {"Content-Type": FHIR_JSON} | dict(_headers(random))
            answer = self._session.request(method, url, data=hostile_json(random, good), headers=headers)
            assert answer.status_code >= REFUSED, (each, answer.status_code)
            self.check(answer.status_code, answer.content, answer.headers, f"write {number}/{each}")

    def check(self, status: int, body: bytes, headers: Mapping[str, str], where: str) -> None:
        """No fault of ours, nothing leaked; a refusal is an OperationOutcome and repeats nothing."""
        self.statuses[status] += 1
        said = body.decode("utf-8", "replace")
        assert status < SERVER_FAULT, f"{where}: {status} {said[:300]}"
        assert not any(word in said for word in self.hidden), f"{where}: tells of a child"
        assert "server" not in {name.lower() for name in headers}, where
        if status >= REFUSED:
            assert not any(leak in said for leak in LEAKS), f"{where}: {said[:300]}"
            assert not body or b'"resourceType":"OperationOutcome"' in body, f"{where}: {said[:300]}"


def _headers(random: Random) -> Iterator[tuple[str, str]]:
    """Some of those that a write may have, right and wrong."""
    said = text(random).encode("latin-1", "replace").decode("latin-1").translate(_NO_CONTROLS).strip()
    good = fhir.provenance("psychologist-1")
    yield "X-Provenance", random.choice((good, good, good, said, good.replace("psychologist-1", CANARY)))
    for name in ("Idempotency-Key", "If-Match", "Prefer", "traceparent", "X-Asserted-User"):
        if random.random() < 0.3:
            yield name, said


_NO_CONTROLS = dict.fromkeys((*range(32), 127))
