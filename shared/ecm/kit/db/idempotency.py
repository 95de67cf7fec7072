"""What a command with this key was answered: repeating it changes nothing (docs/architecture.md, "Commands")."""

import hashlib
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from sqlalchemy import text

from ecm.kit.db.direct import Direct
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason, from_status, to_status

A = TypeVar("A", bound=Message)

_ITS_ROW = "principal = :principal AND method = :method AND key = :key"
_FIND = text(f"SELECT request_hash, response, error FROM idempotency WHERE {_ITS_ROW}")  # noqa: S608 - no values
_TAKE = text("""
    INSERT INTO idempotency (principal, method, key, request_hash, created_at)
    VALUES (:principal, :method, :key, :request_hash, :created_at) ON CONFLICT DO NOTHING RETURNING key""")
_ANSWERED = Direct(f"UPDATE idempotency SET response = :answer WHERE {_ITS_ROW}")  # noqa: S608
_REFUSED = text(f"""
    UPDATE idempotency SET error = :refusal
     WHERE {_ITS_ROW} AND response IS NULL AND error IS NULL""")  # noqa: S608


@dataclass(frozen=True, slots=True)
class CommandKey:
    """Which command: who, which method, the caller's key, and a hash of the request."""

    principal: str
    method: str
    key: str
    request_hash: bytes

    @property
    def named(self) -> dict[str, object]:
        """What names its row, in the statements here."""
        return {"principal": self.principal, "method": self.method, "key": self.key}


def request_hash(request: Message) -> bytes:
    """SHA-256 of the request's deterministic bytes: the request itself isn't kept."""
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()


@dataclass(frozen=True, slots=True)
class Claim:
    """What claiming a key found. `fresh`: it is ours now. Neither fresh nor answered: begun, not finished."""

    fresh: bool
    response: bytes | None = None
    error: bytes | None = None

    def replay(self, response_type: type[A]) -> A | None:
        """The stored answer; raises the stored error; None where there is neither."""
        if self.error is not None:
            raise from_status(Status.FromString(self.error))
        return response_type.FromString(self.response) if self.response is not None else None


async def claim(tx: Tx, command: CommandKey) -> Claim:
    """Takes the key for this transaction, or finds what it was answered.

    A concurrent command with the same key is waited for: the insert blocks until
    that one's transaction has ended. IDEMPOTENCY_KEY_REUSED for another request.
    """
    if await _insert(tx, command):
        return Claim(fresh=True)
    row = (await tx.conn.execute(_FIND, command.named)).one()
    if row.request_hash != command.request_hash:
        raise DomainError(
            Reason.IDEMPOTENCY_KEY_REUSED, "This idempotency key was used with another request; take a new one."
        )
    return Claim(fresh=False, response=row.response, error=row.error)


async def store_answer(tx: Tx, command: CommandKey, response: Message) -> None:
    """Keeps the answer, in the transaction of the command's effect."""
    answer = response.SerializeToString(deterministic=True)
    await _ANSWERED.run(tx.conn, command.named | {"answer": answer})


async def store_error(tx: Tx, command: CommandKey, error: DomainError) -> None:
    """Keeps a refusal, after the command's own transaction has rolled back."""
    await _insert(tx, command)
    await tx.conn.execute(_REFUSED, command.named | {"refusal": to_status(error).SerializeToString()})


async def _insert(tx: Tx, command: CommandKey) -> bool:
    values = command.named | {"request_hash": command.request_hash, "created_at": tx.now}
    return (await tx.conn.execute(_TAKE, values)).first() is not None
