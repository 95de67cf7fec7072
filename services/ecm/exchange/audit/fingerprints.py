"""Keyed HMACs of ids and identifiers asked for: who knows one finds its attempts, nobody reads them back."""

import hmac
from uuid import UUID


class Fingerprints:
    """Made with one region's key; the same input gives the same 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of_id(self, value: str | UUID) -> bytes:
        """Of a FHIR id or record id, however it is written."""
        return self._mac("id", str(value).strip().lower())

    def of_identifier(self, system: str, value: str) -> bytes:
        """Of a business identifier; `system` "" where it was asked for without one."""
        # Blanks inside don't count: 943 476 5919 asks for 9434765919.
        return self._mac("identifier", system.strip(), "".join(value.split()).lower())

    def _mac(self, *parts: str) -> bytes:
        return hmac.digest(self._key, "\x1f".join(parts).encode(), "sha256")
