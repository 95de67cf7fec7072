"""What both drawings share: how they are declared, and that a case has one of each."""

from collections.abc import Iterable
from typing import TypeVar

from ecm.api.common.v1.values_pb2 import Document, FreeText, ProtectedDeclaration
from ecm.api.formulation.v1.formulation_records_pb2 import Genogram, Timeline
from ecm.formulation.model.cases import KnownCase
from ecm.formulation.model.values import free_of_protected
from ecm.formulation.store import create, find_case, of_case
from ecm.kit.db.records import Record
from ecm.kit.db.uow import Tx

D = TypeVar("D", Timeline, Genogram)


def declare(drawing: Document, texts: Iterable[FreeText]) -> Document:
    """Declared free of protected kinds only where every text in it is; undeclared otherwise, which counts as all."""
    if free_of_protected(texts):
        drawing.declaration.CopyFrom(ProtectedDeclaration())
    return drawing


async def keep_drawing(tx: Tx, case: KnownCase, content: D) -> Record[D]:
    """A new version of the case's drawing, or its first."""
    await find_case(tx, case.case_id, lock=True)
    standing = await of_case(tx, case.case_id, type(content))
    return await tx.records.update(standing[-1], content) if standing else await create(tx, case, content)
