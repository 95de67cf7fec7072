"""A child with many large documents: one answer can't hold them, and all of them arrive (gRPC's limit is 32 MiB)."""

from uuid import UUID, uuid4

import pytest

from ecm.api.common.v1.values_pb2 import Document
from ecm.api.formulation.v1 import formulation_service_pb2 as pb
from ecm.api.formulation.v1.formulation_records_pb2 import Contribution
from ecm.api.formulation.v1.formulation_service_pb2_grpc import FormulationServiceStub
from ecm.kit.errors import DomainError, Reason
from ecm.kit.rpc.channel import LARGEST_MESSAGE
from exchange.inbound.world import PSYCHOLOGY, World, category_grant, patient_grant

MIB = 1024 * 1024
DOCUMENTS = 5


async def test_everything_arrives_at_the_exchange(world: World) -> None:
    child = await world.child()
    kept = [await _contribution(world, child, number) for number in range(DOCUMENTS)]
    await world.open_region()
    await world.grant(child, patient_grant(), category_grant("referral"))
    await world.look()

    assert [UUID(found.record_id) async for found in world.owners.of_child("formulation", child)] == kept
    projected = await world.rows(
        "SELECT record_id, octet_length(body) AS size FROM resource"
        " WHERE type = 'DocumentReference' AND view = 3 AND child_id = :child", child=child
    )  # fmt: skip
    assert {row.record_id for row in projected} == set(kept)
    assert all(row.size > 9 * MIB * 4 / 3 for row in projected)
    assert await world.rows("SELECT 1 FROM projected_child WHERE child_id = :c AND fetched_at IS NOT NULL", c=child)
    assert "Patient" in await world.visible(PSYCHOLOGY, child)


async def test_every_version_of_a_large_record_arrives(world: World) -> None:
    child = uuid4()
    record = await _contribution(world, child, 0)
    for number in range(1, DOCUMENTS):
        await _contribution(world, child, number, record)
    found = await world.owners.versions("formulation", record, 0)
    assert [version.version for version in found] == [1, 2, 3, 4, 5]
    assert await world.owners.versions("formulation", record, 5) == []


async def test_a_page_is_bounded_and_a_made_up_token_is_refused(world: World) -> None:
    child, peer = uuid4(), world.owners.services["formulation"].peer
    for number in range(2):
        await _contribution(world, child, number)
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


async def _contribution(world: World, child: UUID, number: int, record: UUID | None = None) -> UUID:
    return await world.owners.put("formulation", "CONTRIBUTION", child, _content(number), record)


def _content(number: int) -> Contribution:
    document = Document(content_type="text/plain", title="Invented", content=bytes([65 + number]) * (9 * MIB))
    return Contribution(agency="la-eastvale", document=document)
