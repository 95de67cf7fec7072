# ruff: noqa: S608 - the fragments are constants of this file, values never
"""What an update meant when it was first sent, so that its repetition means the same.

An ETag names a version that the update itself replaces: sent again after a lost
answer it would be 412. So the record version that it stood for is kept, by the
idempotency key, before the command is sent; `formulation` keeps the answer.
"""

import hashlib
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.kit.errors import DomainError, Reason

KEPT = "interval '24 hours'"
_METHOD = "intake"
_RECALL = text(f"""
    SELECT request_hash, response FROM idempotency
     WHERE principal = :client AND method = '{_METHOD}' AND key = :key AND created_at > clock_timestamp() - {KEPT}""")
_FORGET = text(f"""
    DELETE FROM idempotency WHERE method = '{_METHOD}' AND created_at <= clock_timestamp() - {KEPT}""")
_REMEMBER = text(f"""
    INSERT INTO idempotency (principal, method, key, request_hash, response, created_at)
    VALUES (:client, '{_METHOD}', :key, :hash, :version, clock_timestamp())
        ON CONFLICT (principal, method, key) DO UPDATE SET response = excluded.response
        WHERE idempotency.request_hash = excluded.request_hash""")


@dataclass(frozen=True, slots=True)
class Sent:
    """One request, as its repetition is known."""

    client: str
    key: str
    digest: bytes

    def key_at(self, version: int) -> str:
        """The command's own idempotency key: based on another version it is another command."""
        return f"update-{hashlib.sha256(f'{self.key} {version}'.encode()).hexdigest()}"


def sent(client: str, key: str, route: str, if_match: str | None, body: bytes) -> Sent:
    """The request; only a digest of it is kept."""
    return Sent(client, key, hashlib.sha256(b"\x1f".join((route.encode(), (if_match or "").encode(), body))).digest())


class Memory:
    """Keeps record versions for 24 h."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def recall(self, request: Sent) -> int:
        """The version that it stood for; 0 where it is new. IDEMPOTENCY_KEY_REUSED for another request."""
        async with self._engine.connect() as conn:
            row = (await conn.execute(_RECALL, {"client": request.client, "key": request.key})).first()
        if row is None:
            return 0
        if row.request_hash != request.digest:
            message = "This Idempotency-Key was used with another request; take a new one."
            raise DomainError(Reason.IDEMPOTENCY_KEY_REUSED, message, field="Idempotency-Key")
        return int.from_bytes(row.response, "big")

    async def remember(self, request: Sent, version: int) -> None:
        """Keeps what it stands for."""
        values = {"client": request.client, "key": request.key, "hash": request.digest}
        async with self._engine.begin() as conn:
            await conn.execute(_FORGET)
            await conn.execute(_REMEMBER, values | {"version": version.to_bytes(8, "big")})
