"""Writers, sealer, checkpoints and verification."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from google.protobuf.empty_pb2 import Empty

from ecm.api.exchange.v1 import exchange_service_pb2 as wire
from ecm.exchange.audit.chain import Signer
from ecm.exchange.audit.manual import record_manual
from ecm.exchange.audit.sealer import Sealer
from ecm.exchange.audit.verify import Verdict, verify
from ecm.exchange.disclosure.asks import Ask, Inquiry, Page
from ecm.exchange.disclosure.caller import PartnerCaller
from ecm.kit.clock import SystemClock
from ecm.kit.db.changes import RecordEvents
from ecm.kit.db.engine import make_engine
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import RandomIds
from ecm.kit.region import load_region
from exchange.outbound.world import COUNCIL, PSYCHOLOGY, WRITERS, Server, World, connect, list_as, officer

SIGNER = Signer(b"s" * 32)


@dataclass
class Sealing:
    """A sealer, and what verifies its work."""

    engine: Any
    sealer: Sealer
    directory: Path
    repository: Path

    async def verify(self) -> Verdict:
        return await verify(self.engine, SIGNER, self.directory)

    def uow(self) -> UnitOfWork:
        region = load_region(self.repository / "deploy/regions/example/region.yaml")
        return UnitOfWork(self.engine, SystemClock(), RandomIds(), region, RecordEvents({}, Empty))


@pytest_asyncio.fixture
async def sealing(urls: dict[str, str], tmp_path: Path, repository: Path) -> AsyncIterator[Sealing]:
    engine = make_engine(urls["app"], pool_size=3, app_name="test")
    yield Sealing(engine, Sealer(engine, SIGNER, tmp_path, SystemClock()), tmp_path, repository)
    await engine.dispose()


async def _some(server: Server, count: int = 5) -> None:
    await asyncio.gather(*(server.get(f"Patient/{uuid4()}") for _ in range(count)))


async def test_rows_are_gapless_per_writer_and_verify(world: World, server: Server, sealing: Sealing) -> None:
    await _some(server, 40)
    rows = await world.sql.fetch("SELECT writer, count(*) AS rows, max(n) AS last FROM audit GROUP BY writer")
    assert sum(row["rows"] for row in rows) == 40
    assert all(row["rows"] == row["last"] for row in rows)
    assert await sealing.sealer.seal() == 40
    assert await sealing.sealer.checkpoint() is not None
    assert await sealing.sealer.checkpoint() is None
    await _some(server, 3)
    verdict = await sealing.verify()
    assert (verdict.verified, verdict.unsealed, verdict.checkpoints, verdict.faults) == (40, 3, 1, [])


@pytest.mark.parametrize(
    ("tampering", "words"),
    [
        ("UPDATE audit SET client = 'somebody' WHERE n = 2", "was altered"),
        ("UPDATE audit SET client = 'x', digest = sha256('x') WHERE n = 2", "was altered"),
        ("DELETE FROM audit WHERE n = 2", "is gone"),
        ("DELETE FROM audit_seal WHERE seq = 3", "The chain has no seal 3"),
        ("UPDATE audit_seal SET chain = sha256('x') WHERE seq = 3", "The chain is broken at 3"),
        ("UPDATE audit_seal SET digests = overlay(digests PLACING 'x' FROM 40) WHERE seq = 3", "was altered"),
        ("UPDATE audit_seal SET digests = substring(digests FROM 33) WHERE seq = 3", "The chain is broken at 3"),
        ("UPDATE audit_seal SET n = n + 1 WHERE seq = 3", "The chain is broken at 3"),
        ("DELETE FROM audit_seal WHERE seq > 4; DELETE FROM audit_checkpoint", "rows were cut off"),
        ("UPDATE audit_checkpoint SET chain = sha256('x')", "has a wrong signature"),
    ],
)
async def test_tampering_is_named(world: World, server: Server, tampering: str, words: str, sealing: Sealing) -> None:
    for _ in range(5):
        await _some(server, 4)
        await sealing.sealer.seal()
    await sealing.sealer.checkpoint()
    await world.sql.execute(tampering)
    verdict = await sealing.verify()
    assert any(words in fault for fault in verdict.faults), verdict.faults


async def test_the_app_role_can_only_append(urls: dict[str, str], world: World) -> None:
    sql = await connect(urls["app"])
    try:
        for table in ("audit", "audit_seal", "audit_checkpoint", "resource_version"):
            for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await sql.execute(statement)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await sql.execute("UPDATE audit SET client = ''")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await sql.execute("UPDATE exchange_state SET incarnation = gen_random_uuid()")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await sql.execute("CREATE TABLE mine (one int)")
    finally:
        await sql.close()


async def test_a_lost_connection_ends_its_writer_and_another_goes_on(
    urls: dict[str, str], world: World, server: Server, sealing: Sealing
) -> None:
    await _some(server)
    kill = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'ecm-exchange-release' AND datname = current_database()"""
    sql = await connect(urls["app"])
    await sql.execute(kill)
    await sql.close()
    statuses = [(await server.get(f"Patient/{uuid4()}")).status_code for _ in range(6)]
    assert set(statuses) <= {404, 503}
    assert statuses[-1] == 404
    assert await world.sql.fetchval("SELECT count(DISTINCT writer) FROM audit") >= 2
    await sealing.sealer.seal()
    await sealing.sealer.seal()
    ended = await world.sql.fetchval("SELECT count(*) FROM audit_writer WHERE ended")
    assert ended == WRITERS
    assert (await sealing.verify()).faults == []


async def test_one_faulty_ask_takes_no_other_with_it(world: World, server: Server) -> None:
    caller = PartnerCaller(PSYCHOLOGY, PSYCHOLOGY, frozenset(), frozenset())
    good = Ask.search(Inquiry("search", "good"), Page("query", (), "true"))
    bad = Ask.search(Inquiry("search", "bad"), Page("query", (), "nonsense"))
    asks = [server.writers.disclose(caller, ask) for ask in (good, bad, good, bad, good)]
    found = await asyncio.gather(*asks, return_exceptions=True)
    assert [isinstance(one, DomainError) for one in found] == [False, True, False, True, False]
    rows = await world.sql.fetch("SELECT writer, count(*) AS rows, max(n) AS last FROM audit GROUP BY writer")
    assert all(row["rows"] == row["last"] for row in rows)


async def _known_child(world: World, yot: str = "eastvale", nhs: str = "9990000042") -> tuple[UUID, UUID]:
    child = world.register.put(uuid4(), yot, nhs)
    await world.grant(child, PSYCHOLOGY, patient=True, view=3, version=7)
    await world.sql.execute("INSERT INTO projected_child (child_id, yot) VALUES ($1, $2)", child, yot)
    return child, await world.patient(child, nhs)


async def test_disclosures_and_attempts_of_a_child(world: World, server: Server, sealing: Sealing) -> None:
    listed = partial(list_as, sealing.uow(), world.register, server.fingerprints)
    nhs = {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000042"}
    await server.get(f"Patient?identifier={nhs['system']}|{nhs['value']}", COUNCIL)  # before anything is held
    child, patient = await _known_child(world)
    other, _ = await _known_child(world, "westmoor", "9990000069")
    await server.get(f"Patient/{patient}")
    await server.get(f"Patient/{patient}", COUNCIL)
    await server.get(f"Observation?patient={patient}", COUNCIL, scope="system/Patient.r")
    await server.get("Patient?identifier=9990000042", COUNCIL)
    await server.get("Patient")  # both children
    await server.get(f"Patient/{uuid4()}")
    found = (await listed(child_id=str(child))).disclosures
    assert [(one.client, one.outcome) for one in found] == [
        (PSYCHOLOGY, "disclosed"),
        (COUNCIL, "nothing"),
        (COUNCIL, "refused"),
        (COUNCIL, "nothing"),
        (PSYCHOLOGY, "disclosed"),
        (COUNCIL, "nothing"),
    ]
    assert [one.id for one in found[0].resources] == [str(patient)]
    assert (found[4].grants_version, found[4].resources[0].view) == (7, "full")
    assert found[4].resources[0].basis == "consent, agreement-1: basis"
    by_identifier = (await listed(identifier=nhs)).disclosures
    assert [one.outcome for one in by_identifier] == ["disclosed", "nothing", "disclosed", "nothing"]
    with pytest.raises(DomainError) as refused:
        await listed(child_id=str(other))
    assert refused.value.reason is Reason.NOT_FOUND


async def test_disclosures_come_in_pages(world: World, server: Server, sealing: Sealing) -> None:
    listed = partial(list_as, sealing.uow(), world.register, server.fingerprints)
    child, patient = await _known_child(world)
    for _ in range(5):
        await server.get(f"Patient/{patient}")
    seen: list[str] = []
    token = ""
    for _ in range(3):
        page = await listed(child_id=str(child), page_size=2, page_token=token)
        seen += [one.audit_id for one in page.disclosures]
        token = page.next_page_token
    assert (len(seen), len(set(seen)), token) == (5, 5, "")


async def test_a_paper_copy_is_in_the_accounting(world: World, server: Server, sealing: Sealing) -> None:
    uow = sealing.uow()
    child, _ = await _known_child(world)
    request = wire.RecordManualDisclosureRequest(
        child_id=str(child), agency=COUNCIL, recipient="social worker", purpose="direct-care", what="report, paper"
    )
    request.at.GetCurrentTime()
    async with uow.begin(officer("eastvale")) as tx:
        made = await record_manual(tx, request, world.register)
    (found,) = (await list_as(uow, world.register, server.fingerprints, child_id=str(child))).disclosures
    assert (found.audit_id, found.interaction, found.outcome) == (made.audit_id, "manual", "disclosed")
    await sealing.sealer.seal()
    verdict = await sealing.verify()
    assert (verdict.verified, verdict.faults) == (1, [])
    for change in ({"agency": "nobody"}, {"what": ""}, {"child_id": "x"}, {"child_id": str(uuid4())}):
        faulty = wire.RecordManualDisclosureRequest()
        faulty.CopyFrom(request)
        for name, value in change.items():
            setattr(faulty, name, value)
        with pytest.raises(DomainError):
            async with uow.begin(officer("eastvale")) as tx:
                await record_manual(tx, faulty, world.register)
    with pytest.raises(DomainError):
        async with uow.begin(officer("westmoor")) as tx:
            await record_manual(tx, request, world.register)
