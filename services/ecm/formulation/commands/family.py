"""The family tree, and the voice of child and family (checklist 111, 133, 135)."""

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.common.v1.values_pb2 import PROTECTED_KIND_ADOPTION_IDENTITY, Document, FreeText
from ecm.api.formulation.v1 import formulation_service_pb2 as pb
from ecm.api.formulation.v1.formulation_records_pb2 import Genogram
from ecm.formulation.commands.cases import open_case
from ecm.formulation.commands.drawings import declare, keep_drawing
from ecm.formulation.drawing.genogram import draw_genogram as drawn
from ecm.formulation.drawing.svg import MEDIA_TYPE
from ecm.formulation.model.contributions import check_voice
from ecm.formulation.model.values import PARAGRAPH, check_free_text, invalid
from ecm.formulation.peers import FamilyFile, Peers
from ecm.formulation.store import create, ref_of
from ecm.kit.db.uow import Tx

MOST_BULLETS = 60


async def draw_genogram(peers: Peers, tx: Tx, request: pb.DrawGenogramRequest) -> RecordRef:
    """Draws the family as `referrals` has it now, with the bullets beside it."""
    if len(request.key_information) > MOST_BULLETS:
        raise invalid(f"There are more than {MOST_BULLETS} bullets.", "key_information")
    for bullet in request.key_information:
        check_free_text(bullet, "key_information", most=PARAGRAPH)
    case = await open_case(peers, tx, request.case_id)
    drawing = _drawing(await peers.family(case.child_id), list(request.key_information))
    genogram = Genogram(drawing=drawing, key_information=request.key_information)
    return ref_of(await keep_drawing(tx, case, genogram))


def _drawing(file: FamilyFile, bullets: list[FreeText]) -> Document:
    svg = drawn(file.child, file.members, [bullet.text for bullet in bullets])
    drawing = Document(content_type=MEDIA_TYPE, title="Family tree", content=svg, language="en")
    return _declared(drawing, bullets)


def _declared(tree: Document, bullets: list[FreeText]) -> Document:
    """A tree's names say who an adopted child was, and that may be protected after it is drawn: never free of it."""
    if declare(tree, bullets).HasField("declaration"):
        tree.declaration.holds.append(PROTECTED_KIND_ADOPTION_IDENTITY)
    return tree


async def record_child_voice(peers: Peers, tx: Tx, request: pb.RecordChildVoiceRequest) -> RecordRef:
    """Keeps what the child or family said before: they aren't at the meeting (132)."""
    case = await open_case(peers, tx, request.case_id)
    check_voice(request.voice, tx.today)
    return ref_of(await create(tx, case, request.voice))
