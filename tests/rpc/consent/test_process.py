"""What the process writes and refuses: its log, its schema, a restored database, bad input."""

import asyncio
import re
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import create_async_engine

from ecm.api.consent.v1 import consent_service_pb2 as service
from ecm.consent import tables
from ecm.consent.app import RestoredError, prepare
from ecm.consent.journal import Journal
from ecm.consent.store import agreements, sets
from ecm.consent.store.records import EVENTS
from ecm.kit.auth.principal import service_principal
from ecm.kit.clock import SystemClock
from ecm.kit.db.engine import driver_url, make_engine
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.errors import Reason
from ecm.kit.ids import RandomIds
from ecm.kit.region import load_region
from rpc.consent.builders import ending, give, withdraw
from rpc.consent.conftest import Consent, given

ROOT = Path(__file__).parents[3]


async def test_the_log_holds_nothing_about_a_person(agreed: Consent) -> None:
    _, case_id = await given(agreed)
    said = ending()
    said.reason = "Invented-Words"
    await agreed.call("Withdraw", service.WithdrawRequest(case_id=case_id, ending=said))
    log = agreed.journal.with_name("consent.log").read_text()
    assert "Withdraw" in log
    for detail in ("Invented", "2012-06-01", "scan", "Words"):
        assert detail not in log
    assert "Invented" not in agreed.journal.read_text()


async def test_the_database_is_as_the_tables_say(agreed: Consent) -> None:
    engine = create_async_engine(driver_url(agreed.stack.database_url("consent", "owner")), connect_args={"ssl": None})

    def columns(connection: Connection) -> dict[str, dict[str, tuple[str, bool]]]:
        found = inspect(connection)
        return {
            name: {c["name"]: (str(c["type"]), bool(c["nullable"])) for c in found.get_columns(name)}
            for name in tables.metadata.tables
        }

    async with engine.connect() as connection:
        there = await connection.run_sync(columns)
        here = {
            name: {
                c.name: (c.type.compile(connection.dialect), bool(c.nullable) and not c.primary_key)
                for c in table.columns
            }
            for name, table in tables.metadata.tables.items()
        }
    await engine.dispose()
    bare = {n: {c: (t.removesuffix(" WITH TIME ZONE"), x) for c, (t, x) in cs.items()} for n, cs in here.items()}
    assert there == bare


async def test_a_database_that_lacks_a_journaled_narrowing_isnt_served(agreed: Consent, tmp_path: Any) -> None:
    uow = inside(agreed)
    journal = tmp_path / "journal"
    known = agreed.journal.read_text().splitlines()[0]
    journal.write_text(known + "\n")
    await prepare(uow, Journal(journal))
    journal.write_text(f'{known}\n{{"narrowing_id":"{uuid4()}"}}\n')
    with pytest.raises(RestoredError, match="1 narrowings") as refused:
        await prepare(uow, Journal(journal))
    named = re.search(r'see "(.+)" in (docs/\S+\.md)', str(refused.value))
    assert named and str(journal) in str(refused.value)
    assert f"## {named[1]}\n" in (ROOT / named[2]).read_text(), "where it says that there is more"
    await uow.engine.dispose()


async def test_a_start_compiles_every_childs_set_anew(agreed: Consent) -> None:
    """A release whose rules are stricter: what the one before compiled mustn't stay in force."""
    child_id, _ = await given(agreed)
    uow = inside(agreed)
    await agreed.stop()
    try:
        await prepare(uow, Journal(agreed.journal))
        async with uow.engine.connect() as conn:
            assert UUID(child_id) in await sets.queued(conn, 1000)
    finally:
        await uow.engine.dispose()
        await agreed.start()


def inside(consent: Consent) -> UnitOfWork:
    """Transactions on the service's own database, beside its process."""
    region = load_region(Path(consent.environment["ECM_REGION_FILE"]))
    engine = make_engine(consent.stack.database_url("consent"), app_name="test")
    return UnitOfWork(engine, SystemClock(), RandomIds(), region, EVENTS)


async def test_an_approval_that_meets_the_sweeper_doesnt_deadlock(agreed: Consent) -> None:
    child_id, _ = await given(agreed)
    uow, somebody = inside(agreed), service_principal("consent")
    async with uow.begin(somebody) as approval:
        await agreements.lock_region(approval)
        async with uow.begin(somebody) as tx:
            await sets.queue_all(tx.conn, [UUID(child_id)])
        # Now the process's sweeper has found the child, and waits for the region.
        await asyncio.sleep(1.5)
        await sets.queue_all(approval.conn, [UUID(child_id)])
    await uow.engine.dispose()


async def test_an_exchange_that_knows_more_than_we_do_gets_no_lease(agreed: Consent, refusal: Any) -> None:
    epoch, version = agreed.exchange.highest
    request = service.RenewLeaseRequest(
        incarnation=agreed.exchange.incarnation, highest_epoch=epoch + 1, highest_version=version
    )
    assert (await refusal(agreed.call("RenewLease", request, service="exchange"))).reason is Reason.LEASE_REFUSED


@pytest.mark.parametrize(
    ("method", "request_", "reason", "field"),
    [
        ("GiveConsent", give("not-an-id"), Reason.INVALID_VALUE, "case_id"),
        ("Withdraw", withdraw(""), Reason.INVALID_VALUE, "case_id"),
        ("CheckGate", service.CheckGateRequest(case_id=str(uuid4())), Reason.MISSING_VALUE, "gate"),
        ("GetEnforcement", service.GetEnforcementRequest(narrowing_id="x"), Reason.INVALID_VALUE, "narrowing_id"),
        ("ExplainGrants", service.ExplainGrantsRequest(agency="nobody"), Reason.INVALID_VALUE, "agency"),
    ],
)
async def test_bad_input_is_named(
    agreed: Consent, refusal: Any, *, method: str, request_: Any, reason: Reason, field: str
) -> None:
    refused = await refusal(agreed.call(method, request_))
    assert (refused.reason, refused.field) == (reason, field)


async def test_nothing_given_is_nothing_to_withdraw(agreed: Consent, refusal: Any) -> None:
    _, case_id = agreed.child()
    assert (await refusal(agreed.call("Withdraw", withdraw(case_id)))).reason is Reason.ILLEGAL_TRANSITION
