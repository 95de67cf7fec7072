"""The gRPC metadata that calls carry (docs/architecture.md, "Commands")."""

import re
from collections.abc import Mapping

from ecm.kit.errors import DomainError, Reason

AUTHORIZATION = "authorization"
IDEMPOTENCY_KEY = "idempotency-key"
TRACEPARENT = "traceparent"
ACTOR = "ecm-actor-bin"

_KEY_FORM = re.compile(r"^[\x21-\x7e]{8,128}$")


def text_value(metadata: Mapping[str, str | bytes], name: str) -> str:
    """The value, or ""."""
    value = metadata.get(name, "")
    return value if isinstance(value, str) else value.decode("ascii", "replace")


def bearer(authorization: str) -> str:
    """The token of `Bearer <token>`; TOKEN_MISSING where there is none (RFC 6750 §2.1)."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise DomainError(Reason.TOKEN_MISSING, "Send `authorization: Bearer <access token>`.")
    return token.strip()


def idempotency_key(metadata: Mapping[str, str | bytes]) -> str:
    """The command's key; IDEMPOTENCY_KEY_MISSING where it is absent or malformed."""
    key = text_value(metadata, IDEMPOTENCY_KEY)
    if not _KEY_FORM.match(key):
        message = "A command needs an idempotency-key of 8 to 128 visible ASCII characters."
        raise DomainError(Reason.IDEMPOTENCY_KEY_MISSING, message, field=IDEMPOTENCY_KEY)
    return key
