"""What no request may hold, whatever its method: unknown codes, endless texts, characters that no text has.

proto3 enums are open: an unknown number arrives as it is. PostgreSQL has no
NUL in its texts. The narrower bounds of single fields are their service's own.
"""

import re

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from ecm.kit.errors import DomainError, Reason

LONGEST_TEXT = 20_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def check_request(message: Message, prefix: str = "") -> None:
    """INVALID_VALUE or TOO_LARGE for the first field that no service takes; its path is `field`."""
    for field, value in message.ListFields():
        path = f"{prefix}{field.name}"
        if field.is_repeated:
            for index, item in enumerate(value):
                _check(field, item, f"{path}[{index}]")
        else:
            _check(field, value, path)


def _check(field: FieldDescriptor, value: object, path: str) -> None:
    if isinstance(value, Message):
        check_request(value, f"{path}.")
    elif field.enum_type is not None:
        if value not in field.enum_type.values_by_number:
            message = f"{path}: not a code of {field.enum_type.name}; send one that its proto lists."
            raise DomainError(Reason.INVALID_VALUE, message, field=path)
    elif isinstance(value, str):
        _check_text(value, path)


def _check_text(value: str, path: str) -> None:
    if len(value) > LONGEST_TEXT:
        raise DomainError(Reason.TOO_LARGE, f"{path}: at most {LONGEST_TEXT} characters.", field=path)
    if _CONTROL.search(value):
        message = f"{path}: holds a control character; line breaks and tabs alone are taken."
        raise DomainError(Reason.INVALID_VALUE, message, field=path)
