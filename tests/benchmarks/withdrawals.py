"""`Withdraw` until ENFORCED: idle, and while 16 connections of the agency read as fast as they are answered."""

import asyncio
import time
from collections.abc import Sequence
from multiprocessing import get_context
from typing import Any

import uvloop

from benchmarks.children import Children
from benchmarks.clients import Client, calling
from benchmarks.living import Living
from benchmarks.load import in_turn, load
from benchmarks.servers import Server
from benchmarks.streams import figures
from benchmarks.works import whole_requests
from ecm.api.consent.v1 import consent_records_pb2 as records
from ecm.api.consent.v1 import consent_service_pb2 as consent
from ecm.api.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from ecm.demo import material
from ecm.demo.journey import Journey
from ecm.local.stack import Stack

READS = 4_000
PAUSE_SECONDS = 0.05
LONGEST_SECONDS = 240.0
"""A token lives five minutes."""


async def withdrawals(
    stack: Stack, ours: Server, children: Children, living: Sequence[Living], count: int
) -> dict[str, Any]:
    """Both, `count` withdrawals each; between two of them the child consents anew."""
    idle = await _all(stack, living, count)
    requests = whole_requests("read", ours, children)[:READS]
    # A process of its own: here it would hold up the answers that are timed.
    reading = get_context("spawn").Process(target=_read, args=(ours.port, requests), daemon=True)
    reading.start()
    try:
        loaded = await _all(stack, living, count)
    finally:
        reading.kill()
        reading.join()
    return {"idle": idle, "under_load": loaded}


def _read(port: int, requests: list[bytes]) -> None:
    uvloop.run(load(port, in_turn(requests), LONGEST_SECONDS))


async def _all(stack: Stack, living: Sequence[Living], count: int) -> dict[str, Any]:
    journey = Journey.on(stack)
    journey.close()
    async with calling(stack, "consent", ConsentServiceStub, person="case-manager") as client:
        took = [await _one(client, living[number % len(living)], journey) for number in range(count)]
    return figures([seconds for seconds, _ in took]) | {"answered_enforcing": sum(later for _, later in took)}


async def _one(client: Client, one: Living, journey: Journey) -> tuple[float, bool]:
    """Seconds until it was ENFORCED, and whether `Withdraw` was answered before."""
    ending = records.Ending(by=records.SIGNATORY_CAPACITY_CHILD, said_on=material.day(journey.today))
    began = time.monotonic()
    answer = await client.command("Withdraw", consent.WithdrawRequest(case_id=one.case_id, ending=ending))
    standing = answer.enforcement
    later = standing.state != consent.ENFORCEMENT_STATE_ENFORCED
    while standing.state != consent.ENFORCEMENT_STATE_ENFORCED:
        await asyncio.sleep(PAUSE_SECONDS)
        asked = consent.GetEnforcementRequest(narrowing_id=standing.narrowing_id)
        standing = (await client.command("GetEnforcement", asked)).enforcement
    took = time.monotonic() - began
    await _consent_anew(client, one, journey, answer.ref.record_id)
    await asyncio.sleep(PAUSE_SECONDS)
    return took, later


async def _consent_anew(client: Client, one: Living, journey: Journey, withdrawn: str) -> None:
    seek = consent.SeekConsentRequest(case_id=one.case_id, sought_on=material.day(journey.today))
    await client.command("SeekConsent", seek)
    instruments = material.instruments(one.subject, journey.today)
    give = consent.GiveConsentRequest(case_id=one.case_id, instruments=instruments, supersedes=withdrawn)
    await client.command("GiveConsent", give)
