"""Bounds that hold for every message: known codes, lengths, counts, printable text.

proto3 enums are open: an unknown number arrives as it is, so it is refused here.
"""

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from ecm.referrals.model.refusals import invalid

LONGEST_TEXT = 200
LONGEST_REASON = 2_000
LONGEST_FREE_TEXT = 20_000
MOST_ITEMS = 50
_LONG_REASONS = dict.fromkeys(("reason", "other_manager_reason", "note"), LONGEST_REASON)
_LONGER = {"text": LONGEST_FREE_TEXT, **_LONG_REASONS}
_LINE_BREAKS = "\n\r\t"


def check_bounds(message: Message, prefix: str = "") -> None:
    """INVALID_VALUE, naming the field by its path, for the first value outside of what any message may hold."""
    for field, value in message.ListFields():
        path = f"{prefix}.{field.name}" if prefix else field.name
        if field.is_repeated:
            _check_items(field, value, path)
        else:
            _check_value(field, value, path)


def _check_items(field: FieldDescriptor, values: object, path: str) -> None:
    items = list(values)  # type: ignore[call-overload]
    if len(items) > MOST_ITEMS:
        raise invalid(path, f"at most {MOST_ITEMS} entries.")
    for index, item in enumerate(items):
        _check_value(field, item, f"{path}[{index}]")


def _check_value(field: FieldDescriptor, value: object, path: str) -> None:
    if isinstance(value, Message):
        check_bounds(value, path)
    elif field.enum_type is not None and value not in field.enum_type.values_by_number:
        raise invalid(path, "isn't a known code.")
    elif isinstance(value, str):
        _check_text(value, path, _LONGER.get(field.name, LONGEST_TEXT))


def _check_text(value: str, path: str, longest: int) -> None:
    if len(value) > longest:
        raise invalid(path, f"at most {longest} characters.")
    breaks = _LINE_BREAKS if longest > LONGEST_TEXT else ""
    if not all(char.isprintable() or char in breaks for char in value):
        raise invalid(path, "holds control characters.")
