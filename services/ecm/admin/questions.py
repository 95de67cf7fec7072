"""What `ecm audit verify` and `ecm grants explain` ask, as the data-protection officer."""

import asyncio

from ecm.admin.calls import Caller, channel
from ecm.admin.running import RunningRegion
from ecm.api.consent.v1 import consent_service_pb2 as consent
from ecm.api.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from ecm.api.exchange.v1 import exchange_service_pb2 as exchange
from ecm.api.exchange.v1.exchange_service_pb2_grpc import ExchangeServiceStub

OFFICER = "data-protection-officer"


async def verify_audit(region: RunningRegion) -> exchange.VerifyAuditResponse:
    """Whether the exchange's audit chain and its checkpoints hold."""
    caller = Caller("exchange", await asyncio.to_thread(region.token, person=OFFICER))
    async with channel(region.addresses["exchange"]) as opened:
        stub = ExchangeServiceStub(opened)
        return await caller.ask(stub.VerifyAudit, exchange.VerifyAuditRequest())


async def explain_grants(region: RunningRegion, child: str, agency: str) -> consent.ExplainGrantsResponse:
    """Why an agency sees or doesn't see each category of a child."""
    caller = Caller("consent", await asyncio.to_thread(region.token, person=OFFICER))
    async with channel(region.addresses["consent"]) as opened:
        stub = ConsentServiceStub(opened)
        return await caller.ask(stub.ExplainGrants, consent.ExplainGrantsRequest(child_id=child, agency=agency))
