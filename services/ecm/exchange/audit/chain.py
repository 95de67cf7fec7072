"""The chain over audit rows, and signed checkpoints of it."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

GENESIS = bytes(32)
_PURPOSE = b"ecm-audit-checkpoint-1"


def link(before: bytes, writer: UUID, n: int, digests: bytes) -> bytes:
    """The chain's value after one more seal: of a run of the writer's rows up to `n`, with 32 bytes each."""
    return hashlib.sha256(before + writer.bytes + n.to_bytes(8, "big") + digests).digest()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The chain's value after seal `seq`, as it was signed."""

    seq: int
    chain: bytes
    at: datetime
    signature: bytes

    def line(self, public_key: bytes) -> bytes:
        """As it stands in the files outside of PostgreSQL, one JSON object a line."""
        document = {
            "seq": self.seq,
            "chain": self.chain.hex(),
            "at": self.at.isoformat(),
            "signature": self.signature.hex(),
            "public_key": public_key.hex(),
        }
        return orjson.dumps(document) + b"\n"


def parse_line(line: bytes) -> Checkpoint:
    """The checkpoint that `line` wrote; ValueError where it is none."""
    try:
        found = orjson.loads(line)
        chain, signature = bytes.fromhex(found["chain"]), bytes.fromhex(found["signature"])
        return Checkpoint(int(found["seq"]), chain, datetime.fromisoformat(found["at"]), signature)
    except (KeyError, TypeError) as error:
        raise ValueError("not a checkpoint") from error


class Signer:
    """Signs checkpoints by Ed25519 (RFC 8032), and checks them."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public_key(self) -> bytes:
        """32 bytes; whoever has them can check the files without us."""
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, seq: int, chain: bytes, at: datetime) -> Checkpoint:
        """A new checkpoint."""
        return Checkpoint(seq, chain, at, self._key.sign(_message(seq, chain, at)))

    def holds(self, checkpoint: Checkpoint) -> bool:
        """Whether the signature is ours, over exactly this."""
        message = _message(checkpoint.seq, checkpoint.chain, checkpoint.at)
        try:
            self._key.public_key().verify(checkpoint.signature, message)
        except InvalidSignature:
            return False
        return True


def _message(seq: int, chain: bytes, at: datetime) -> bytes:
    micros = int(at.astimezone(UTC).timestamp() * 1_000_000)
    return b"\n".join((_PURPOSE, str(seq).encode(), chain.hex().encode(), str(micros).encode()))
