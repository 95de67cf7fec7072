"""The audit: each writer's numbers without gaps, one chain over all rows, signed states of it outside, none missing."""

import hashlib
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from faults.checker.verdict import Verdict
from faults.evidence import Evidence, Row


def writers_are_gapless(evidence: Evidence, verdict: Verdict) -> None:
    """Each writer's n are 1 to its last; each row's digest is that of what it says."""
    numbers: dict[UUID, list[int]] = defaultdict(list)
    for row in evidence.rows("exchange", "audit"):
        numbers[row["writer"]].append(row["n"])
        verdict.expect(row["digest"] == row["computed"], "audit", f"row {row['writer']}/{row['n']} was altered")
    for writer, given in numbers.items():
        gapless = sorted(given) == list(range(1, len(given) + 1))
        verdict.expect(gapless, "audit", f"writer {writer} has gaps in {sorted(given)[:20]}")
    known = {row["writer"] for row in evidence.rows("exchange", "audit_writer")}
    for writer in numbers.keys() - known:
        verdict.expect(False, "audit", f"writer {writer} isn't registered")
    verdict.looked_at["audit rows"] += sum(len(given) for given in numbers.values())
    verdict.looked_at["audit writers"] += len(numbers)


def the_chain_holds(evidence: Evidence, verdict: Verdict) -> None:
    """Each row is sealed once, in the order of its writer, and each seal of a run follows from the one before."""
    digests = {(row["writer"], row["n"]): row["digest"] for row in evidence.rows("exchange", "audit")}
    chain, last, chains = bytes(32), Counter[UUID](), {}
    seals = sorted(evidence.rows("exchange", "audit_seal"), key=lambda row: row["seq"])
    for place, seal in enumerate(seals, start=1):
        writer, n = seal["writer"], seal["n"]
        verdict.expect(seal["seq"] == place, "chain", f"seal {place} is missing")
        run = [digests.get((writer, number), b"") for number in range(last[writer] + 1, n + 1)]
        verdict.expect(seal["digests"] == b"".join(run), "chain", f"seal {place} isn't of what follows {last[writer]}")
        chain = hashlib.sha256(chain + writer.bytes + n.to_bytes(8, "big") + seal["digests"]).digest()
        verdict.expect(seal["chain"] == chain, "chain", f"the chain breaks at {place}")
        chain, last[writer], chains[place] = seal["chain"], n, seal["chain"]
    for writer, n in digests:
        verdict.expect(n <= last[writer], "chain", f"audit row {writer}/{n} isn't sealed")
    _checkpoints(evidence, chains, verdict)


def every_answer_is_there(evidence: Evidence, verdict: Verdict) -> None:
    """Each request that a client was answered stands in the audit (one that wasn't answered may)."""
    noted = Counter(row["client"] for row in evidence.rows("exchange", "audit"))
    for client, answered in evidence.answered.items():
        words = f"{client} was answered {answered} times, and the audit has {noted[client]}"
        verdict.expect(noted[client] >= answered, "audit", words)
        verdict.looked_at["requests answered"] += answered


def _checkpoints(evidence: Evidence, chains: dict[int, bytes], verdict: Verdict) -> None:
    stored = {row["seq"]: row for row in evidence.rows("exchange", "audit_checkpoint")}
    copied = {int(json.loads(line)["seq"]): json.loads(line) for line in evidence.checkpoints}
    for missing in stored.keys() - copied.keys():
        verdict.expect(False, "chain", f"checkpoint {missing} isn't copied outside of PostgreSQL")
    for seq, found in copied.items():
        verdict.expect(
            bytes.fromhex(found["chain"]) == chains.get(seq), "chain", f"checkpoint {seq} names another chain"
        )
        verdict.expect(_signed(found), "chain", f"checkpoint {seq} isn't signed")
    verdict.looked_at["checkpoints"] += len(copied)


def _signed(found: Row) -> bool:
    micros = int(datetime.fromisoformat(found["at"]).astimezone(UTC).timestamp() * 1_000_000)
    named = (b"ecm-audit-checkpoint-1", str(found["seq"]).encode(), found["chain"].encode(), str(micros).encode())
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(found["public_key"]))
    try:
        key.verify(bytes.fromhex(found["signature"]), b"\n".join(named))
    except InvalidSignature:
        return False
    return True
