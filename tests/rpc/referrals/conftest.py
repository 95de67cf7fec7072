"""`referrals` served in this process, on the real PostgreSQL and with the real issuer's tokens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest

from ecm.api.referrals.v1.referrals_service_pb2_grpc import (
    ReferralsServiceStub,
    add_ReferralsServiceServicer_to_server,
)
from ecm.kit.db.migrations import migrate
from ecm.kit.narrowing import Narrowings
from ecm.kit.rpc.server import serving
from ecm.kit.service import Runtime, runtime_of
from ecm.local.stack import Stack
from ecm.referrals.app import SERVICES
from ecm.referrals.commands.narrowing import Narrower
from ecm.referrals.commands.narrowing_kinds import KINDS
from ecm.referrals.policy import POLICY
from ecm.referrals.servicer import ReferralsServicer
from ecm.referrals.settings import ReferralsSettings
from ecm.referrals.store import record_events
from rpc.referrals.desk import ConsentPlayed, Desk, FormulationPlayed


@pytest.fixture(scope="session")
async def referrals_desk(infrastructure: Stack) -> AsyncIterator[Desk]:
    await migrate("ecm.referrals", infrastructure.database_url("referrals", "owner"), "ecm_referrals_app")
    names = {name.removeprefix("ECM_").lower(): value for name, value in infrastructure.env("referrals").items()}
    settings = ReferralsSettings(**(names | {"listen": "127.0.0.1:0"}))  # type: ignore[arg-type]
    async with runtime_of(settings, record_events()) as runtime, _served(infrastructure, runtime) as desk:
        yield desk


@pytest.fixture
def desk(referrals_desk: Desk) -> Desk:
    """The desk, with `consent` and `formulation` as new."""
    for played in (referrals_desk.consent, referrals_desk.formulation):
        played.__init__()  # type: ignore[misc]
    return referrals_desk


@asynccontextmanager
async def _served(stack: Stack, runtime: Runtime) -> AsyncIterator[Desk]:
    consent = ConsentPlayed()
    narrower = Narrower(runtime.uow, consent, KINDS)
    narrowings = Narrowings(runtime.uow, narrower.ask, narrower.apply)
    servicer = ReferralsServicer(runtime.uow, narrower, narrowings)

    def add(server: grpc.aio.Server) -> None:
        add_ReferralsServiceServicer_to_server(servicer, server)

    async with (
        serving(runtime.settings, SERVICES, add, POLICY, runtime.verifier, region=runtime.region) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield Desk(stack, ReferralsServiceStub(channel), runtime.uow, consent, FormulationPlayed(), narrowings)
