"""kill -9 at the two worst moments: `exchange` between commit and answer, `consent` between recording and enforcing.

After the restart the journey ends the same: no event lost, no effect twice.
"""

import threading
import uuid
from collections import Counter
from collections.abc import Iterator

import grpc
import httpx
import pytest

from ecm.api.consent.v1 import consent_records_pb2 as consents
from ecm.api.consent.v1 import consent_service_pb2 as consent
from ecm.api.formulation.v1.formulation_service_pb2 import ListChildRecordsRequest
from ecm.api.formulation.v1.formulation_service_pb2_grpc import FormulationServiceStub
from ecm.demo import fhir
from ecm.demo.journey import Journey, describe, until
from ecm.demo.steps.afterwards import find_closed, hold, withdrawal
from ecm.demo.steps.referring import MANAGER
from ecm.demo.story import STEPS
from ecm.local.ports import free_ports
from ecm.local.stack import Stack
from faulting.proxy import Proxy

pytestmark = pytest.mark.journey


class Proxied:
    """A region with a proxy before the exchange (for consent) and before formulation (for the exchange)."""

    def __init__(self, stack: Stack, before_exchange: Proxy, before_formulation: Proxy) -> None:
        self.stack = stack
        self.before_exchange = before_exchange
        self.before_formulation = before_formulation
        self.journey = Journey.on(stack)


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    before_exchange, before_formulation = Proxy(), Proxy()
    settings = {
        "consent": {"ECM_EXCHANGE_ADDRESS": before_exchange.address},
        "exchange": {"ECM_FORMULATION_ADDRESS": before_formulation.address},
    }
    ports = dict(zip(("exchange", "formulation"), free_ports(2), strict=True))
    before_exchange.target = f"127.0.0.1:{ports['exchange']}"
    before_formulation.target = f"127.0.0.1:{ports['formulation']}"
    state = tmp_path_factory.mktemp("killed")
    with Stack.start(state, fresh_ports=True, ports=ports, settings=settings, lease_seconds=5.0) as stack:
        found = Proxied(stack, before_exchange, before_formulation)
        for step in STEPS[:6]:
            step.take(found.journey)
        yield found
        found.journey.close()
    before_exchange.close()
    before_formulation.close()


def test_exchange_killed_between_commit_and_answer(proxied: Proxied) -> None:
    journey, stack = proxied.journey, proxied.stack
    psychology = journey.psychology
    patient = str((psychology.patient(journey.subject.identifier) or {})["id"])
    headers = {"X_Provenance": fhir.provenance("psychologist-1"), "Idempotency_Key": str(uuid.uuid4())}
    proxied.before_formulation.at_an_answer(lambda: _killed_once_committed(stack, journey))
    with pytest.raises(httpx.TransportError):
        psychology.create(fhir.developmental_map(patient), **headers)
    assert kinds(stack, journey)["DEVELOPMENTAL_MAP"] == 1, "formulation had committed before the kill"
    proxied.before_formulation.release()
    stack.wait_healthy("exchange")
    answer = until(lambda: _created(journey, patient, headers), "the repetition is answered", seconds=60)
    assert answer.status_code in {200, 201}
    assert kinds(stack, journey)["DEVELOPMENTAL_MAP"] == 1, "no effect twice"
    assert until(lambda: len(_maps(journey)) == 1, "the one map is read")


def test_the_journey_goes_on(proxied: Proxied) -> None:
    for step in STEPS[6:8]:
        assert step.take(proxied.journey)


def test_consent_killed_between_recording_and_enforcing(proxied: Proxied) -> None:
    journey, stack = proxied.journey, proxied.stack
    held = hold(journey)
    proxied.before_exchange.hold()
    asking = threading.Thread(target=_withdraw_into_the_void, args=(journey,))
    asking.start()
    until(lambda: _state(journey) == consents.CONSENT_STATE_WITHDRAWN, "the withdrawal is recorded")
    stack.kill("consent")
    asking.join()
    proxied.before_exchange.release()
    stack.wait_healthy("consent")
    until(lambda: _sees_nothing(journey), "the withdrawal is enforced without anybody asking again", seconds=60)
    assert find_closed(journey, held)


def test_the_journey_ends_the_same(proxied: Proxied) -> None:
    journey = proxied.journey
    again = journey.yot.call(MANAGER, journey.yot.consent.Withdraw, withdrawal(journey))
    assert again.enforcement.state == consent.ENFORCEMENT_STATE_ENFORCED, "asked again, it says how it stands"
    for step in STEPS[9:]:
        assert step.take(journey)


def test_no_event_is_lost_or_numbered_twice(proxied: Proxied) -> None:
    events = proxied.journey.psychology.events(seconds=2.0)
    by_subject: dict[tuple[str, str], set[int]] = {}
    for event in events:
        by_subject.setdefault((event.generation, event.subject), set()).add(event.sequence)
    assert by_subject
    for numbers in by_subject.values():
        assert numbers == set(range(1, len(numbers) + 1)), "gapless within a generation"
    last = {event.dataref: event.type for event in events}
    assert set(last.values()) == {"unavailable"}, "everything that was made available was closed at the end"


def _killed_once_committed(stack: Stack, journey: Journey) -> bool:
    """Other answers pass (records that are being fetched); the one after the commit doesn't."""
    committed = kinds(stack, journey)["DEVELOPMENTAL_MAP"] == 1
    if committed:
        stack.kill("exchange")
    return committed


def kinds(stack: Stack, journey: Journey) -> Counter[str]:
    """How many records of each kind `formulation` has of the child, asked with the exchange's own token."""
    token = stack.token(client="ecm-exchange", audience="ecm-formulation")
    with grpc.insecure_channel(stack.addresses["formulation"]) as channel:
        request = ListChildRecordsRequest(child_id=journey.ids["child"])
        metadata = [("authorization", f"Bearer {token}")]
        found = FormulationServiceStub(channel).ListChildRecords(request, metadata=metadata, timeout=10)
    return Counter(version.kind for version in found.versions)


def _created(journey: Journey, patient: str, headers: dict[str, str]) -> httpx.Response | None:
    try:
        answer = journey.psychology.create(fhir.developmental_map(patient), **headers)
    except httpx.TransportError:
        return None
    return answer if answer.status_code != 503 else None


def _maps(journey: Journey) -> list[dict[str, object]]:
    seen = journey.psychology.everything(journey.subject.identifier)
    return [resource for resource in seen if resource["resourceType"] == "Observation" and "component" in resource]


def _withdraw_into_the_void(journey: Journey) -> None:
    try:
        answer = journey.yot.call(MANAGER, journey.yot.consent.Withdraw, withdrawal(journey))
    except grpc.RpcError:
        return
    assert answer.enforcement.state == consent.ENFORCEMENT_STATE_ENFORCING, "it never says more than is true"


def _state(journey: Journey) -> int:
    request = consent.ListConsentsRequest(case_id=journey.ids["case"])
    found = journey.yot.call(MANAGER, journey.yot.consent.ListConsents, request).consents
    return int(found[0].consent.state)


def _sees_nothing(journey: Journey) -> bool:
    try:
        return describe(journey.psychology, journey.subject) == "nothing"
    except httpx.HTTPStatusError as error:
        assert error.response.status_code == 503
        return False
