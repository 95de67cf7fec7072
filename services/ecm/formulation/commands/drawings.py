"""What both drawings share: how they are declared, and that a case has one of each."""

from collections.abc import Iterable
from typing import TypeVar

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.common.v1.values_pb2 import Document, FreeText, ProtectedDeclaration
from ecm.api.formulation.v1.formulation_records_pb2 import Genogram, Timeline
from ecm.formulation.model.cases import KnownCase
from ecm.formulation.model.values import free_of_protected
from ecm.formulation.store import create, find_case, of_case, ref_of
from ecm.kit.db.records import Record
from ecm.kit.db.uow import Tx
from ecm.kit.declarations import any_stricter, is_stricter

D = TypeVar("D", Timeline, Genogram)


class StricterDrawingError(Exception):
    """What was drawn is labelled stricter than what stands: the old one must be withheld first."""

    def __init__(self, standing: RecordRef) -> None:
        super().__init__("The standing drawing is to be withheld first.")
        self.standing = standing


def declare(drawing: Document, texts: Iterable[FreeText]) -> Document:
    """Declared free of protected kinds only where every text in it is; undeclared otherwise, which counts as all."""
    if free_of_protected(texts):
        drawing.declaration.CopyFrom(ProtectedDeclaration())
    return drawing


async def keep_drawing(tx: Tx, case: KnownCase, content: D) -> Record[D]:
    """A new version of the case's drawing, or its first. StricterDrawingError where that would relabel it."""
    await find_case(tx, case.case_id, lock=True)
    standing = await of_case(tx, case.case_id, type(content))
    if not standing:
        return await create(tx, case, content)
    if _is_stricter(standing[-1].content, content):
        raise StricterDrawingError(ref_of(standing[-1]))
    return await tx.records.update(standing[-1], content)


def _is_stricter(old: D, new: D) -> bool:
    return is_stricter(old.drawing, new.drawing) or any_stricter(_beside(old), _beside(new))


def _beside(content: Timeline | Genogram) -> Iterable[FreeText]:
    return content.key_information if isinstance(content, Genogram) else ()
