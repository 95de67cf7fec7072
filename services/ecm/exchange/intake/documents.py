"""What several writes have in common: documents, declarations, free text, authors named inside."""

import base64
import binascii
import hashlib
from typing import Final

from ecm.api.common.v1.values_pb2 import Document, FreeText, ProtectedDeclaration, ProtectedKind
from ecm.exchange.intake.elements import Element, invariant, missing
from ecm.exchange.mapping.codes import PROTECTED_DECLARATION
from ecm.exchange.mapping.elements import enum_code
from ecm.kit.errors import DomainError, Reason

NONE: Final = "none"
LARGEST_DOCUMENT = 10 * 1024 * 1024
PIECE: Final = 4 * 65_536
"""Characters of base64 that are decoded at once."""
_LONGEST_TITLE = 200
_KINDS: Final = {enum_code(ProtectedKind, value): value for value in ProtectedKind.values() if value}


def declaration(root: Element) -> ProtectedDeclaration | None:
    """What the author says the resource holds; None where nothing was declared. Other extensions are refused."""
    found = root.each("extension")
    if not found:
        return None
    return ProtectedDeclaration(holds=_kinds(found, root.at("extension")))


def _kinds(extensions: list[Element], path: str) -> list["ProtectedKind.ValueType"]:
    said = []
    for extension in extensions:
        if extension.text("url") != PROTECTED_DECLARATION:
            raise invariant("This exchange doesn't keep this extension; leave it out.", extension.at("url"))
        extension.allow("url", "valueCode")
        said.append(extension.code("valueCode", {NONE, *_KINDS}))
    if len(set(said)) < len(said) or (NONE in said and len(said) > 1):
        raise invariant("Either none, or each kind once.", path)
    return [_KINDS[code] for code in said if code != NONE]


def free_text(text: str, declared: ProtectedDeclaration | None) -> FreeText:
    """A text with the declaration of its resource."""
    return FreeText(text=text, declaration=declared)


def document(root: Element) -> Document:
    """The one attachment, inline. INVARIANT for a URL, for bytes that aren't base64 or don't match size or hash."""
    (content,) = root.each("content", least=1, most=1)
    content.allow("attachment")
    attachment = content.required("attachment")
    attachment.allow("contentType", "language", "data", "size", "hash", "title", "creation")
    data = _bytes(attachment)
    return Document(
        content_type=attachment.text("contentType", required=True, most=100),
        title=attachment.text("title", most=_LONGEST_TITLE),
        content=data,
        language=attachment.text("language", most=20),
        declaration=declaration(root),
    )


def _bytes(attachment: Element) -> bytes:
    written = attachment.value.get("data")
    if not isinstance(written, str):
        raise missing(attachment.at("data"))
    try:
        data = _decoded(written)
    except (binascii.Error, ValueError):
        raise invariant("It isn't base64.", attachment.at("data")) from None
    if len(data) > LARGEST_DOCUMENT:
        raise DomainError(Reason.TOO_LARGE, "A document has at most 10 MiB.", field=attachment.at("data"))
    if attachment.has("size") and attachment.decimal("size") != len(data):
        raise invariant("It isn't the number of bytes.", attachment.at("size"))
    _check_hash(attachment, data)
    return data


def _decoded(written: str) -> bytes:
    """Strict base64, in pieces: one call would hold the interpreter for all of it."""
    pieces = [written[at : at + PIECE] for at in range(0, len(written), PIECE)]
    if any("=" in piece for piece in pieces[:-1]):
        raise binascii.Error("Padding, and more behind it.")
    return b"".join(base64.b64decode(piece, validate=True) for piece in pieces)


def _check_hash(attachment: Element, data: bytes) -> None:
    if not attachment.has("hash"):
        return
    # Attachment.hash is SHA-1 by FHIR's definition; it guards against damage alone.
    digest = base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()
    if attachment.text("hash") != digest:
        raise invariant("It isn't the SHA-1 of the bytes.", attachment.at("hash"))
