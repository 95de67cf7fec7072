"""`Withdraw` until ENFORCED: idle, and while 16 connections of the agency read as fast as they are answered."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.children import Children
from benchmarks.clients import Client, calling
from benchmarks.living import Living
from benchmarks.load import load
from benchmarks.servers import Server
from benchmarks.streams import figures
from benchmarks.works import requests_for
from ecm.api.consent.v1 import consent_records_pb2 as records
from ecm.api.consent.v1 import consent_service_pb2 as consent
from ecm.api.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from ecm.local.demo import material
from ecm.local.demo.journey import Journey
from ecm.local.stack import Stack

PAUSE_SECONDS = 0.05
LONGEST_SECONDS = 240.0
"""A token lives five minutes."""


async def withdrawals(
    stack: Stack, ours: Server, children: Children, living: Sequence[Living], count: int
) -> dict[str, Any]:
    """Both, `count` withdrawals each; between two of them the child consents anew."""
    idle = await _all(stack, living, count)
    reading = asyncio.create_task(_read(ours, children))
    try:
        loaded = await _all(stack, living, count)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    return {"idle": idle, "under_load": loaded}


async def _read(ours: Server, children: Children) -> None:
    await load(ours.port, requests_for("read", ours, children), LONGEST_SECONDS)


async def _all(stack: Stack, living: Sequence[Living], count: int) -> dict[str, Any]:
    journey = Journey.on(stack)
    journey.close()
    async with calling(stack, "consent", ConsentServiceStub, person="case-manager") as client:
        took = [await _one(client, living[number % len(living)], journey) for number in range(count)]
    enforced = [seconds for seconds, at_once in took if at_once]
    return figures(enforced) | {"enforcing": len(took) - len(enforced)}


async def _one(client: Client, one: Living, journey: Journey) -> tuple[float, bool]:
    """Seconds until the answer, and whether it was ENFORCED."""
    ending = records.Ending(by=records.SIGNATORY_CAPACITY_CHILD, said_on=material.day(journey.today))
    began = time.monotonic()
    answer = await client.command("Withdraw", consent.WithdrawRequest(case_id=one.case_id, ending=ending))
    took = time.monotonic() - began
    await _consent_anew(client, one, journey)
    await asyncio.sleep(PAUSE_SECONDS)
    return took, answer.enforcement.state == consent.ENFORCEMENT_STATE_ENFORCED


async def _consent_anew(client: Client, one: Living, journey: Journey) -> None:
    seek = consent.SeekConsentRequest(case_id=one.case_id, sought_on=material.day(journey.today))
    await client.command("SeekConsent", seek)
    instruments = material.instruments(one.subject, journey.today)
    await client.command("GiveConsent", consent.GiveConsentRequest(case_id=one.case_id, instruments=instruments))
