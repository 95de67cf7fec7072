"""The renditions of a resource: each is stored whole, none is cut when it is served."""

from enum import IntEnum
from typing import Final

from ecm.api.common.v1.values_pb2 import Document, FreeText, ProtectedKind
from ecm.exchange.mapping.elements import enum_code


class View(IntEnum):
    """In which rendition a resource is opened; the numbers are those of `common.v1.View` and of the tables."""

    MINIMUM = 1
    UNPROTECTED = 2
    FULL = 3


ALL_VIEWS: Final = (View.FULL, View.UNPROTECTED, View.MINIMUM)
USUAL_VIEWS: Final = (View.FULL, View.UNPROTECTED)


def shows_text(text: FreeText, view: View) -> bool:
    """Whether a free text may stand in a view: outside of `full` only where its author declared it free.

    An absent declaration counts as holding every protected kind.
    """
    return bool(text.text.strip()) and (view is View.FULL or holds_nothing(text))


def declared(*held: FreeText | Document) -> list[str]:
    """What the authors declared that they hold, as codes: `none`, or each kind; nothing where one is undeclared."""
    if not held or not all(one.HasField("declaration") for one in held):
        return []
    kinds = {enum_code(ProtectedKind, kind) for one in held for kind in one.declaration.holds}
    return sorted(kind for kind in kinds if kind) or ["none"]


def holds_nothing(held: FreeText | Document) -> bool:
    """Whether the author declared that it holds no protected kind."""
    return held.HasField("declaration") and not held.declaration.holds
