"""A child with many large documents: one answer can't hold them, and all of them arrive (gRPC's limit is 32 MiB)."""

from collections.abc import AsyncIterator
from typing import TypeVar
from uuid import UUID, uuid4

import pytest

from ecm.admin.names import app_role
from ecm.api.common.v1.values_pb2 import Document
from ecm.api.formulation.v1 import formulation_service_pb2 as pb
from ecm.api.formulation.v1.formulation_records_pb2 import Contribution
from ecm.api.formulation.v1.formulation_service_pb2_grpc import FormulationServiceStub
from ecm.exchange.projection.owners import PeerOwners
from ecm.exchange.settings import ExchangeSettings
from ecm.formulation.app import DESCRIPTORS, build
from ecm.formulation.policy import POLICY
from ecm.formulation.settings import FormulationSettings
from ecm.formulation.store import record_events
from ecm.kit.auth.principal import service_principal
from ecm.kit.db.migrations import migrate
from ecm.kit.db.scope import UNLIMITED
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.errors import DomainError, Reason
from ecm.kit.rpc.channel import LARGEST_MESSAGE, Peer
from ecm.kit.rpc.server import serving
from ecm.kit.service import runtime_of
from ecm.kit.settings import ServiceSettings
from ecm.local.stack import Stack
from exchange.inbound.world import PSYCHOLOGY, World, category_grant, patient_grant

MIB = 1024 * 1024
DOCUMENTS = 5

Owner = tuple[UnitOfWork, Peer]
S = TypeVar("S", bound=ServiceSettings)


@pytest.fixture
async def formulation(infrastructure: Stack) -> AsyncIterator[Owner]:
    """A real `formulation`, and the exchange's way to it."""
    await migrate("formulation", infrastructure.database_url("formulation", "owner"), app_role("formulation"))
    async with runtime_of(_settings(infrastructure, FormulationSettings), record_events()) as runtime:
        parts = build(runtime)
        async with serving(runtime.settings, DESCRIPTORS, parts.add_servicers, POLICY, runtime.verifier,
                           region=runtime.region) as port:  # fmt: skip
            peer = Peer(f"127.0.0.1:{port}", _settings(infrastructure, ExchangeSettings), "ecm-formulation")
            yield runtime.uow, peer
            await peer.close()
        for other in parts.peers:
            await other.close()


async def test_everything_arrives_at_the_exchange(world: World, formulation: Owner) -> None:
    uow, peer = formulation
    child = world.child()
    kept = {await _contribution(uow, child, number) for number in range(DOCUMENTS)}
    owners = PeerOwners({"formulation": peer})
    world.owners.real["formulation"] = owners
    await world.open_region()
    await world.grant(child, patient_grant(), category_grant("referral"))
    await world.look()

    assert [UUID(found.record_id) async for found in owners.of_child("formulation", child)] == await _order(uow, child)
    projected = await world.rows(
        "SELECT record_id, octet_length(body) AS size FROM resource"
        " WHERE type = 'DocumentReference' AND view = 3 AND child_id = :child", child=child
    )  # fmt: skip
    assert {row.record_id for row in projected} == kept
    assert all(row.size > 9 * MIB * 4 / 3 for row in projected)
    assert await world.rows("SELECT 1 FROM projected_child WHERE child_id = :c AND fetched_at IS NOT NULL", c=child)
    assert "Patient" in await world.visible(PSYCHOLOGY, child)


async def test_every_version_of_a_large_record_arrives(formulation: Owner) -> None:
    uow, peer = formulation
    record = await _contribution(uow, uuid4(), 0)
    for number in range(1, DOCUMENTS):
        async with uow.begin(service_principal("formulation"), scope=UNLIMITED) as tx:
            held = await tx.records.get(record, Contribution, lock=True)
            await tx.records.update(held, _content(number))
    found = await PeerOwners({"formulation": peer}).versions("formulation", record, 0)
    assert [version.version for version in found] == [1, 2, 3, 4, 5]
    assert await PeerOwners({"formulation": peer}).versions("formulation", record, 5) == []


async def test_a_page_is_bounded_and_a_made_up_token_is_refused(formulation: Owner) -> None:
    uow, peer = formulation
    child = uuid4()
    for number in range(2):
        await _contribution(uow, child, number)
    method = FormulationServiceStub(peer.channel).ListChildRecords
    first = await peer.call(method, pb.ListChildRecordsRequest(child_id=str(child)))
    assert first.ByteSize() < LARGEST_MESSAGE / 2
    assert len(first.versions) == 1
    request = pb.ListChildRecordsRequest(child_id=str(child), page_token=first.next_page_token)
    last = await peer.call(method, request)
    assert (len(last.versions), last.next_page_token) == (1, "")
    for made_up in (str(uuid4()), "x"):
        with pytest.raises(DomainError) as refused:
            await peer.call(method, pb.ListChildRecordsRequest(child_id=str(child), page_token=made_up))
        assert refused.value.reason is Reason.INVALID_VALUE


async def _contribution(uow: UnitOfWork, child: UUID, number: int) -> UUID:
    async with uow.begin(service_principal("formulation"), scope=UNLIMITED) as tx:
        made = await tx.records.create(
            "CONTRIBUTION", _content(number), child_id=child, case_id=uuid4(), yot="eastvale"
        )
    return made.record_id


def _content(number: int) -> Contribution:
    document = Document(content_type="text/plain", title="Invented", content=bytes([65 + number]) * (9 * MIB))
    return Contribution(agency="la-eastvale", document=document)


async def _order(uow: UnitOfWork, child: UUID) -> list[UUID]:
    async with uow.read(service_principal("exchange"), scope=UNLIMITED) as tx:
        listed = await tx.records.list("CONTRIBUTION", Contribution, child_id=child)
    return [record.record_id for record in listed]


def _settings(stack: Stack, settings: type[S]) -> S:
    values = {name.removeprefix("ECM_").lower(): value for name, value in stack.env(settings.service).items()}
    known = settings.model_fields.keys()
    return settings(**{name: value for name, value in (values | {"listen": "127.0.0.1:0"}).items() if name in known})
