"""What authors declare of protected kinds, and when a new label is stricter than the old one."""

from collections.abc import Iterable

from ecm.api.common.v1.values_pb2 import Document, FreeText, ProtectedKind

Declared = FreeText | Document

ALL_KINDS = frozenset(ProtectedKind.values()) - {0}


def held_by(one: Declared) -> frozenset[int]:
    """The kinds that it counts as holding: undeclared counts as all."""
    return frozenset(one.declaration.holds) if one.HasField("declaration") else ALL_KINDS


def is_stricter(old: Declared, new: Declared) -> bool:
    """Whether the new one counts as holding a kind that the old one didn't.

    Where either says nothing there is no label that could become stricter.
    """
    return _says(old) and _says(new) and not held_by(new) <= held_by(old)


def any_stricter(old: Iterable[Declared], new: Iterable[Declared]) -> bool:
    """Whether something that stands among both is labelled stricter than it was; order says nothing."""
    # What stands there twice was open as soon as one of them was.
    before = list(old)
    return any(_words(one) == _words(other) and is_stricter(one, other) for other in new for one in before)


def _says(one: Declared) -> bool:
    return bool(_words(one))


def _words(one: Declared) -> str | bytes:
    return one.text if isinstance(one, FreeText) else one.content
