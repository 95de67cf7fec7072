"""Cursors: opaque, sealed (AES-GCM), for one client alone, and only for a while.

A cursor holds the query's values, identifiers among them, so it is encrypted:
a page's URL ends up in logs of others.
"""

import base64
import binascii
import secrets
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ecm.kit.clock import Clock
from ecm.kit.errors import DomainError, Reason

LIVES_SECONDS = 900
LONGEST = 8_192
_NONCE = 12


class Cursors:
    """Seals and opens the state of a search between its pages."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._cipher = AESGCM(key)
        self._clock = clock

    def seal(self, client: str, state: dict[str, Any]) -> str:
        """The text that stands in a `next` link; `state` is JSON."""
        expires = int(self._clock.now().timestamp()) + LIVES_SECONDS
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._cipher.encrypt(nonce, orjson.dumps([expires, state]), client.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, client: str, text: str) -> dict[str, Any]:
        """The state; CURSOR_INVALID where it is another client's, was changed, or has expired."""
        try:
            raw = base64.urlsafe_b64decode(text[:LONGEST] + "=" * (-len(text) % 4))
            expires, state = orjson.loads(self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], client.encode()))
        except (InvalidTag, ValueError, binascii.Error):
            raise DomainError(Reason.CURSOR_INVALID, "This page link isn't one of yours; search again.") from None
        if self._clock.now().timestamp() >= expires:
            raise DomainError(Reason.CURSOR_INVALID, "This page link has expired; search again.")
        return dict(state)
