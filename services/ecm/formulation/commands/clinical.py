"""What the psychologist records through the exchange: map, stage, recommendations (checklist 161 to 164, 224)."""

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.formulation.v1 import formulation_service_pb2 as pb
from ecm.api.formulation.v1.formulation_records_pb2 import Recommendations
from ecm.formulation.commands.cases import leading
from ecm.formulation.model import clinical
from ecm.formulation.model.cases import KnownCase
from ecm.formulation.model.values import invalid, not_found
from ecm.formulation.peers import Peers
from ecm.formulation.store import create, load_at, ref_of
from ecm.kit.db.uow import Tx


async def record_developmental_map(peers: Peers, tx: Tx, request: pb.RecordDevelopmentalMapRequest) -> RecordRef:
    """A map of its day; an earlier one stays."""
    case, author = await leading(peers, tx, request.case_id)
    return ref_of(await create(tx, case, clinical.mapped(request.map, author, tx.today)))


async def place_on_recovery_model(peers: Peers, tx: Tx, request: pb.PlaceOnRecoveryModelRequest) -> RecordRef:
    """A placement of its day; an earlier one stays."""
    case, author = await leading(peers, tx, request.case_id)
    return ref_of(await create(tx, case, clinical.placed(request.stage, author, tx.region, tx.today)))


async def record_recommendations(peers: Peers, tx: Tx, request: pb.RecordRecommendationsRequest) -> RecordRef:
    """The first recommendations, or a new version of them."""
    case, author = await leading(peers, tx, request.case_id)
    made = clinical.recommended(request.recommendations, author, lambda: str(tx.ids.uuid()))
    if request.recommendations_id:
        return await _change(tx, case, request, made)
    if request.expected_version:
        raise invalid("Without an id there is nothing to expect a version of.", "expected_version")
    return ref_of(await create(tx, case, made))


async def _change(
    tx: Tx, case: KnownCase, request: pb.RecordRecommendationsRequest, made: Recommendations
) -> RecordRef:
    field, version = "recommendations_id", request.expected_version
    standing = await load_at(tx, request.recommendations_id, Recommendations, field, version)
    if standing.case_id != case.case_id:
        raise not_found("recommendations")
    return ref_of(await tx.records.update(standing, made))
