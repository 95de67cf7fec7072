"""Ways out that were found by attacking: each of these leaked, or left no trace, before it was shut."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from google.protobuf.empty_pb2 import Empty

from ecm.api.exchange.v1 import exchange_service_pb2 as wire
from ecm.exchange.audit.chain import Signer
from ecm.exchange.audit.manual import record_manual
from ecm.exchange.audit.sealer import Sealer
from ecm.exchange.audit.verify import verify
from ecm.exchange.disclosure.disclose_sql import AUDIT_DIGEST
from ecm.exchange.mapping.ids import fhir_id
from ecm.kit.clock import SystemClock
from ecm.kit.db.changes import RecordEvents
from ecm.kit.db.engine import make_engine
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import RandomIds
from ecm.kit.region import load_region
from exchange.outbound.world import COUNCIL, PSYCHOLOGY, Server, World, list_as, matches, officer

NHS: dict[str, str] = {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000042"}
SIGNER = Signer(b"s" * 32)
Listed = Callable[..., Awaitable[Any]]


@pytest_asyncio.fixture
async def uow(urls: dict[str, str], repository: Path) -> AsyncIterator[UnitOfWork]:
    engine = make_engine(urls["app"], pool_size=3, app_name="test")
    region = load_region(repository / "deploy/regions/example/region.yaml")
    yield UnitOfWork(engine, SystemClock(), RandomIds(), region, RecordEvents({}, Empty))
    await engine.dispose()


@pytest.fixture
def listed(uow: UnitOfWork, world: World, server: Server) -> Listed:
    return partial(list_as, uow, world.register, server.fingerprints)


async def test_a_document_with_the_patient_in_it_is_shut_where_the_patient_is(world: World, server: Server) -> None:
    """A circulated report, then the adoption identity is protected: no Patient, so no Bundle that holds it."""
    child, report = uuid4(), uuid4()
    await world.patient(child)
    views = {2: {}, 3: {}}
    bundle = await world.resource(child, "Bundle", categories=("report",), record=report, views=views)
    document = await world.resource(child, "DocumentReference", categories=("report",), record=report, views=views)
    await world.grant(child, COUNCIL, record=report, view=2)
    assert (await server.get(f"DocumentReference/{document}", COUNCIL)).status_code == 200
    version = await world.sql.fetchval("SELECT version_id FROM resource WHERE id = $1 AND view = 2", bundle)
    for path in (f"Bundle/{bundle}", f"Bundle/{bundle}/_history/{version}"):
        assert (await server.get(path, COUNCIL)).status_code == 404
    assert matches(await server.get("Bundle", COUNCIL)) == []
    await world.grant(child, COUNCIL, patient=True, view=1)
    assert (await server.get(f"Bundle/{bundle}", COUNCIL)).status_code == 200


async def test_versions_older_than_an_absence_stay_away(world: World, server: Server) -> None:
    """Declared free by mistake, then withheld from the view, then supplied anew: the mistake isn't served again."""
    child = uuid4()
    await world.grant(child, PSYCHOLOGY, "referral", view=2)
    found = await world.resource(child, "DocumentReference", views=(2,), version="mistaken")
    assert (await server.get(f"DocumentReference/{found}/_history/mistaken")).status_code == 200
    await world.sql.execute("DELETE FROM resource WHERE id = $1", found)
    await world.sql.execute(
        "INSERT INTO resource_version (type, id, view, version_id, child_id, categories, last_updated, body, deleted)"
        " VALUES ('DocumentReference', $1, 2, 'gone', $2, '{referral}', $3, '', true)",
        *(found, child, datetime.now(UTC)),
    )
    await world.resource(child, "DocumentReference", views=(2,), version="anew", resource_id=found)
    assert (await server.get(f"DocumentReference/{found}/_history/anew")).status_code == 200
    assert (await server.get(f"DocumentReference/{found}/_history/mistaken")).status_code == 404


@pytest.mark.parametrize("who", [PSYCHOLOGY, COUNCIL])
async def test_a_refused_fetch_of_an_event_is_in_the_childs_list(
    world: World, server: Server, listed: Listed, who: str
) -> None:
    """An old event after a withdrawal, and another client's address: both name the child."""
    child = await _child(world, "eastvale")
    patient = await world.patient(child)
    await world.sql.execute("INSERT INTO dataref VALUES ('t0ken', $1, 'Patient', $2)", PSYCHOLOGY, patient)
    assert (await server.get("events/t0ken", who)).status_code == 404
    found = (await listed(child_id=str(child))).disclosures
    assert [(one.client, one.interaction, one.outcome) for one in found] == [(who, "event", "nothing")]


@pytest.mark.parametrize("held", [True, False])
async def test_attempts_on_another_yots_child_are_that_yots_to_know(
    world: World, server: Server, listed: Listed, held: bool
) -> None:
    """Before the first grant, too: the exchange holds nothing of the child then."""
    child = await _child(world, "westmoor") if held else world.register.put(uuid4(), "westmoor", number="WM-1")
    for asked in (f"{NHS['system']}|{NHS['value']}", "999 000 0042"):
        await server.get(f"Patient?identifier={asked}", COUNCIL)
    await server.get(f"Patient/{fhir_id(child, 'Patient')}", COUNCIL)
    assert len((await listed("westmoor", identifier=NHS)).disclosures) == 2
    assert len((await listed("westmoor", child_id=str(child))).disclosures) == 3
    nobodys = await listed(identifier=NHS | {"value": "9990000069"})
    assert await listed(identifier=NHS) == nobodys == wire.ListDisclosuresResponse()
    assert await refusal(listed(child_id=str(child))) == await refusal(listed(child_id=str(uuid4())))


async def test_attempts_by_nobodys_number_are_shown_to_nobody(world: World, server: Server, listed: Listed) -> None:
    """Whose it will be isn't known; once it is registered, its YOT has what was asked before."""
    await server.get(f"Patient?identifier={NHS['system']}|{NHS['value']}", COUNCIL)
    assert (await listed(identifier=NHS)).disclosures == []
    child = world.register.put(uuid4(), "eastvale")
    by_child = (await listed(child_id=str(child))).disclosures
    assert (await listed(identifier=NHS)).disclosures == by_child
    assert [(one.client, one.outcome) for one in by_child] == [(COUNCIL, "nothing")]


async def test_a_local_number_is_asked_for_under_its_own_yot(world: World, server: Server, listed: Listed) -> None:
    ours = world.register.put(uuid4(), "eastvale", "", "N-1")
    world.register.put(uuid4(), "westmoor", "", "N-1")
    for yot in ("eastvale", "westmoor"):
        await server.get(f"Patient?identifier=http://region.invalid/case-number/{yot}|N-1", COUNCIL)
    assert len((await listed(child_id=str(ours))).disclosures) == 1
    theirs: Any = {"system": "http://region.invalid/case-number/westmoor", "value": "N-1"}
    assert (await listed(identifier=theirs)).disclosures == []


async def test_without_the_register_nobody_is_told_anything(world: World, uow: UnitOfWork, listed: Listed) -> None:
    child = await _child(world, "eastvale")
    world.register.away = True
    by_hand = wire.RecordManualDisclosureRequest(child_id=str(child))
    async with uow.begin(officer("eastvale")) as tx:
        refused = [await refusal(record_manual(tx, by_hand, world.register))]
    refused += [await refusal(listed(identifier=NHS)), await refusal(listed(child_id=str(child)))]
    assert {reason for reason, _ in refused} == {Reason.PEER_UNREACHABLE}


async def test_a_disclosure_by_hand_is_of_the_callers_own_child(world: World, uow: UnitOfWork) -> None:
    child = world.register.put(uuid4(), "westmoor")
    for known in (child, uuid4()):
        by_hand = wire.RecordManualDisclosureRequest(child_id=str(known))
        async with uow.begin(officer("eastvale")) as tx:
            assert (await refusal(record_manual(tx, by_hand, world.register)))[0] is Reason.NOT_FOUND


async def test_a_changed_row_is_found_though_the_databases_own_digest_lies(
    world: World, server: Server, uow: UnitOfWork, tmp_path: Path
) -> None:
    await server.get(f"Patient/{uuid4()}")
    await Sealer(uow.engine, SIGNER, tmp_path, SystemClock()).seal()
    assert (await verify(uow.engine, SIGNER, tmp_path)).faults == []
    lie = "CREATE OR REPLACE FUNCTION audit_digest(a audit) RETURNS bytea LANGUAGE sql STABLE AS 'SELECT a.digest'"
    await world.sql.execute(lie)
    try:
        await world.sql.execute("UPDATE audit SET client = 'somebody-else'")
        assert (await verify(uow.engine, SIGNER, tmp_path)).faults
    finally:
        await world.sql.execute(AUDIT_DIGEST)


async def test_a_control_character_is_a_refusal_not_a_fault(listed: Listed) -> None:
    identifier: Any = {"system": "s", "value": "a\x00b"}
    assert (await refusal(listed(identifier=identifier)))[0] is Reason.INVALID_VALUE


async def refusal(call: Awaitable[Any]) -> tuple[Reason, str]:
    """Why a call is refused, and in which words."""
    with pytest.raises(DomainError) as refused:
        await call
    return refused.value.reason, refused.value.message


async def _child(world: World, yot: str) -> UUID:
    child = world.register.put(uuid4(), yot)
    await world.sql.execute("INSERT INTO projected_child (child_id, yot) VALUES ($1, $2)", child, yot)
    return child
