"""Values that every form has: texts, days, documents, members of an enum."""

import re
from collections.abc import Container, Iterable
from datetime import date
from typing import Any

from ecm.api.common.v1 import values_pb2 as common
from ecm.kit.errors import DomainError, Reason

LINE = 200
"""Characters of a name, role or place."""
PARAGRAPH = 2_000
"""Characters of a reason or comment."""
FREE_TEXT = 20_000
YEARS = range(1900, 2201)
"""Years that a date may have (common/v1/values.proto)."""
DOCUMENT_BYTES = 10 * 1024 * 1024
PDF = "application/pdf"
_PDF_MAGIC = b"%PDF"
_CONTROL = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f\\ufffe\\uffff]")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def invalid(message: str, field: str) -> DomainError:
    """INVALID_VALUE of a field."""
    return DomainError(Reason.INVALID_VALUE, message, field=field)


def missing(message: str, field: str) -> DomainError:
    """MISSING_VALUE of a field."""
    return DomainError(Reason.MISSING_VALUE, message, field=field)


def illegal(message: str) -> DomainError:
    """ILLEGAL_TRANSITION: the life cycle doesn't allow the step now."""
    return DomainError(Reason.ILLEGAL_TRANSITION, message)


def not_found(what: str) -> DomainError:
    """NOT_FOUND, in the words of the store: nothing tells "not yours" from "not there"."""
    return DomainError(Reason.NOT_FOUND, f"There is no {what} with this id.")


def check_text(text: str, field: str, *, most: int = LINE, required: bool = True) -> None:
    """A text of at most `most` characters without control characters. MISSING_VALUE, TOO_LARGE, INVALID_VALUE."""
    if required and not text.strip():
        raise missing(f"{field} is missing.", field)
    if len(text) > most:
        raise DomainError(Reason.TOO_LARGE, f"{field} has more than {most} characters.", field=field)
    if _CONTROL.search(text):
        raise invalid(f"{field} has control characters.", field)


def check_free_text(text: common.FreeText, field: str, *, most: int = FREE_TEXT, required: bool = True) -> None:
    """A free text and its declaration, which stays absent where it was."""
    check_text(text.text, field, most=most, required=required)
    check_declaration(text.declaration, field)


def check_declaration(declaration: common.ProtectedDeclaration, field: str) -> None:
    """Only kinds that exist."""
    for kind in declaration.holds:
        check_member(kind, common.ProtectedKind, f"{field}.declaration")


def check_member(value: int, enum: Any, field: str) -> None:
    """A said value of a proto's enum. MISSING_VALUE for 0, INVALID_VALUE for one that the enum hasn't."""
    if value == 0:
        raise missing(f"{field} is missing.", field)
    if value not in enum.values():
        raise invalid(f"{field} isn't one of its values.", field)


def check_day(day: common.Date, field: str) -> date:
    """The calendar day, of the years 1900 to 2200."""
    if not day.year and not day.month and not day.day:
        raise missing(f"{field} is missing.", field)
    try:
        found = date(day.year, day.month, day.day)
    except ValueError:
        raise invalid(f"{field} isn't a calendar day.", field) from None
    if found.year not in YEARS:
        raise invalid(f"{field} isn't of the years 1900 to 2200.", field)
    return found


def check_past_day(day: common.Date, today: date, field: str) -> None:
    """A calendar day that isn't after today."""
    if check_day(day, field) > today:
        raise invalid(f"{field} is in the future.", field)


def check_document(document: common.Document, types: Container[str], field: str = "document") -> None:
    """A document of one of the media types, at most 10 MiB; what calls itself a PDF begins like one."""
    media_type = document.content_type.split(";")[0].strip().lower()
    if not document.content:
        raise missing(f"{field}.content is missing.", f"{field}.content")
    if len(document.content) > DOCUMENT_BYTES:
        raise DomainError(Reason.TOO_LARGE, f"{field} has more than 10 MiB.", field=field)
    if media_type not in types:
        raise invalid(f"{field} can't be of this media type here.", f"{field}.content_type")
    if media_type == PDF and not document.content.startswith(_PDF_MAGIC):
        raise invalid(f"{field} says that it is a PDF and isn't.", f"{field}.content")
    _check_document_words(document, field)


def _check_document_words(document: common.Document, field: str) -> None:
    check_text(document.title, f"{field}.title", required=False)
    if document.language and not _LANGUAGE.fullmatch(document.language):
        raise invalid(f"{field}.language isn't a BCP 47 language, e.g. en.", f"{field}.language")
    check_declaration(document.declaration, field)


def free_of_protected(texts: Iterable[common.FreeText]) -> bool:
    """Whether every text is declared to hold no protected kind; one undeclared text spoils it."""
    return all(text.HasField("declaration") and not text.declaration.holds for text in texts)
