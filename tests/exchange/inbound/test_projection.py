"""Following the owners."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import orjson
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from ecm.api.common.v1.record_pb2 import RecordVersion
from ecm.api.common.v1.values_pb2 import Document, ProtectedDeclaration
from ecm.api.formulation.v1.formulation_records_pb2 import Report
from ecm.api.referrals.v1 import referrals_records_pb2 as referrals
from ecm.exchange.mapping import MappedResource, View
from ecm.exchange.projection.directory import mapping_context, publish_directory
from ecm.exchange.projection.project import Projection
from ecm.exchange.projection.records import RecordAt
from ecm.exchange.projection.replace import Replacement
from ecm.kit.errors import DomainError
from ecm.kit.ids import RandomIds
from exchange.inbound.world import PSYCHOLOGY, World, category_grant, child_content, patient_grant
from exchange.owners import Owners


async def opened(world: World) -> UUID:
    child = await world.child()
    await world.open_region()
    await world.grant(child, patient_grant(), category_grant("referral"))
    await world.look()
    return child


async def versions(world: World, child: UUID) -> dict[int, str]:
    rows = await world.rows(
        "SELECT view, version_id FROM resource WHERE type = 'Patient' AND child_id = :child", child=child
    )
    return {row.view: row.version_id for row in rows}


async def test_a_change_of_one_view_is_no_new_version_of_the_others(world: World) -> None:
    child = await opened(world)
    before = await versions(world, child)
    moved = referrals.Address(lines=["9 Imagined Row"], town="Nowhereton", postcode="ZZ99 9ZZ")
    await world.owners.put("referrals", "CHILD", child, child_content(address=moved), child)
    await world.project(child)
    after = await versions(world, child)
    assert [view for view in (1, 2, 3) if before[view] != after[view]] == [3]


async def test_served_bytes_hold_version_and_time(world: World) -> None:
    child = await opened(world)
    [row] = await world.rows(
        "SELECT body, version_id, last_updated FROM resource WHERE type = 'Patient' AND view = 3 AND child_id = :child",
        child=child,
    )
    meta = orjson.loads(bytes(row.body))["meta"]
    assert meta["versionId"] == row.version_id
    assert meta["lastUpdated"] == row.last_updated.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def test_every_served_version_is_kept(world: World) -> None:
    child = await opened(world)
    await world.owners.put("referrals", "CHILD", child, child_content(family_name="Otherson"), child)
    await world.project(child)
    kept = await world.rows("SELECT deleted FROM resource_version WHERE type = 'Patient' AND view = 1 ORDER BY seq")
    assert [row.deleted for row in kept] == [False, False]


async def test_older_never_overwrites_newer(world: World) -> None:
    child = await opened(world)
    await world.owners.put("referrals", "CHILD", child, child_content(family_name="Otherson"), child)
    await world.project(child)
    before = await versions(world, child)
    await world.projection.project("referrals", child, 1, time.monotonic() + 5)
    await world.projection.fetch_child(child)
    assert await versions(world, child) == before


async def test_what_is_another_records_is_never_written_over(world: World) -> None:
    """Its grants are those of its own child: nothing of another's may stand where they open it."""
    child, other = await opened(world), await world.child()
    [patient] = await world.rows(
        "SELECT DISTINCT id FROM resource WHERE type = 'Patient' AND child_id = :child", child=child
    )
    before = await versions(world, child)
    body = {"resourceType": "Patient", "id": str(patient.id)}
    taken = MappedResource("Patient", str(patient.id), other, (), {View.FULL: body})
    with pytest.raises(RuntimeError, match="another record's"):
        async with world.engine.begin() as conn:
            await Replacement(conn, RandomIds(), other, other).apply([taken])
    assert await versions(world, child) == before
    assert not await world.rows("SELECT 1 FROM resource_version WHERE child_id = :other", other=other)


async def test_a_closed_record_is_gone_and_its_last_version_says_so(world: World) -> None:
    child = await opened(world)
    await world.owners.close(child)
    await world.project(child)
    assert "Patient" not in await world.visible(PSYCHOLOGY, child)
    kept = await world.rows("SELECT deleted FROM resource_version WHERE type = 'Patient' AND view = 3 ORDER BY seq")
    assert [row.deleted for row in kept] == [False, True]
    await world.look()
    assert (await world.events())[-1][0] == "unavailable"


async def test_what_cant_be_fetched_is_hidden_from_the_first_failure_on(world: World) -> None:
    child = await opened(world)
    await world.owners.put("referrals", "CHILD", child, child_content(family_name="Otherson"), child)
    world.owners.away.add("referrals")
    with pytest.raises(DomainError):
        await world.project(child)
    assert "Patient" not in await world.visible(PSYCHOLOGY, child)
    assert "EpisodeOfCare" in await world.visible(PSYCHOLOGY, child)
    world.owners.away.clear()
    await world.project(child)
    assert (await world.visible(PSYCHOLOGY, child))["Patient"]["name"][0]["family"] == "Otherson"


async def test_what_cant_be_mapped_is_hidden_and_the_rest_stays(world: World) -> None:
    child = await opened(world)
    await world.owners.put("referrals", "CHILD", child, referrals.Case(), child)
    with pytest.raises(Exception, match="holds"):
        await world.project(child)
    assert set(await world.visible(PSYCHOLOGY, child)) == {"EpisodeOfCare", "ServiceRequest", "Task"}
    [row] = await world.rows("SELECT * FROM projected_record WHERE record_id = :record", record=child)
    assert (row.known_version, row.projected_version, row.hidden, row.failure) == (2, 1, True, "UnmappableError")


async def test_a_poisoned_version_is_passed_over_once_a_newer_one_can_be_mapped(world: World) -> None:
    child = await opened(world)
    await world.owners.put("referrals", "CHILD", child, referrals.Case(), child)
    await world.owners.put("referrals", "CHILD", child, child_content(family_name="Otherson"), child)
    await world.project(child)
    assert (await world.visible(PSYCHOLOGY, child))["Patient"]["name"][0]["family"] == "Otherson"


async def test_a_poisoned_record_doesnt_hold_up_the_first_fetch(world: World) -> None:
    child = await world.child()
    await world.owners.put("referrals", "REFERRAL_FORM", child, referrals.Case())
    await world.open_region()
    await world.grant(child, patient_grant())
    await world.look()
    assert "Patient" in await world.visible(PSYCHOLOGY, child)
    assert len(await world.rows("SELECT 1 FROM projected_record WHERE hidden")) == 1


async def test_a_first_fetch_without_an_owner_is_taken_up_again(world: World) -> None:
    child = await world.child()
    world.owners.away.add("monitoring")
    await world.open_region()
    await world.grant(child, patient_grant())
    await world.look()
    assert len(await world.rows("SELECT 1 FROM fetch_queue")) == 1
    world.owners.away.clear()
    world.worker._resting.clear()
    await world.look()
    assert await world.rows("SELECT 1 FROM fetch_queue") == []
    assert len(await world.rows("SELECT 1 FROM projected_child WHERE fetched_at IS NOT NULL AND yot = 'eastvale'")) == 1


async def test_a_failure_that_was_overtaken_hides_nothing(world: World) -> None:
    child = await opened(world)
    late = RecordAt("referrals", "CHILD", child, child, 1)
    async with world.engine.begin() as conn:
        await world.projection.fail(conn, late, ValueError())
    assert "Patient" in await world.visible(PSYCHOLOGY, child)


async def test_a_change_is_told_and_an_unseen_one_isnt(world: World) -> None:
    child = await opened(world)
    await world.grant(child, patient_grant(view=2), category_grant("referral"))
    await world.look()
    told = len(await world.events())
    moved = child_content(address=referrals.Address(town="Elsewhereham"))
    await world.owners.put("referrals", "CHILD", child, moved, child)
    await world.project(child)
    await world.look()
    assert len(await world.events()) == told
    await world.owners.put("referrals", "CHILD", child, child_content(family_name="Otherson"), child)
    await world.project(child)
    await world.look()
    assert [kind for kind, _ in (await world.events())[told:]] == ["changed"]


async def test_without_a_lease_nothing_is_told(world: World) -> None:
    child = await world.child()
    await world.open_region()
    world.lease.held = False
    await world.grant(child, patient_grant())
    await world.look()
    assert await world.events() == []
    world.lease.held = True
    world.worker._resting.clear()
    await world.look()
    assert [kind for kind, _ in await world.events()] == ["available"]


async def test_index_rows_follow_the_bytes(world: World) -> None:
    child = await opened(world)
    found = await world.rows(
        "SELECT DISTINCT t.code FROM search_token t JOIN resource r ON r.pk = t.resource_pk"
        " WHERE r.child_id = :child AND t.param = 'identifier'",
        child=child,
    )
    assert {row.code for row in found} == {"9990000018", "EV-0001"}


async def test_the_directory_is_published_once(world: World) -> None:
    assert await publish_directory(world.engine, world.region, RandomIds())
    assert not await publish_directory(world.engine, world.region, RandomIds())
    rows = await world.rows(
        "SELECT type, count(*) AS n FROM resource WHERE child_id IS NULL GROUP BY type ORDER BY type"
    )
    assert [(row.type, row.n) for row in rows] == [("Organization", 5), ("Practitioner", 1)]


async def test_a_record_of_another_child_is_none_of_ours(world: World) -> None:
    await opened(world)
    stranger = await world.child()
    await world.project(stranger)
    assert await world.rows("SELECT 1 FROM resource WHERE child_id = :child", child=stranger) == []


async def test_a_reports_document_stays_as_it_was_assembled(world: World) -> None:
    child = await opened(world)
    pdf = Document(content_type="application/pdf", content=b"%PDF-invented", declaration=ProtectedDeclaration())
    report = Report(document=pdf, finalised_at=Timestamp(seconds=1_790_000_000))
    record = await world.owners.put("formulation", "REPORT", child, report)
    await world.project(record)
    await world.grant(child, category_grant("report"))
    assert "Bundle" not in await world.visible(PSYCHOLOGY, child)  # the child's Patient stands in it
    await world.grant(child, category_grant("report"), patient_grant())
    before = (await world.visible(PSYCHOLOGY, child))["Bundle"]
    assert before["entry"][1]["resource"]["name"][0]["family"] == "Zephyrson"
    assert "address" not in before["entry"][1]["resource"]
    await world.owners.put("referrals", "CHILD", child, child_content(family_name="Otherson"), child)
    await world.project(child)
    report.circulations.add(agency="la-eastvale")
    await world.owners.put("formulation", "REPORT", child, report, record)
    await world.project(record)
    assert (await world.visible(PSYCHOLOGY, child))["Bundle"] == before


class Counted:
    """The owners, and what they were asked for: (record, after)."""

    def __init__(self, owners: Owners) -> None:
        self._owners = owners
        self.asked: list[tuple[UUID, int]] = []

    async def versions(self, service: str, record_id: UUID, after: int) -> Sequence[RecordVersion]:
        self.asked.append((record_id, after))
        return await self._owners.versions(service, record_id, after)

    def of_child(self, service: str, child_id: UUID) -> AsyncIterator[RecordVersion]:
        return self._owners.of_child(service, child_id)


async def heard(projection: Projection, owners: Counted, world: World, reached: RecordAt) -> int:
    """Follows an event; returns how often the owners had been asked before anything was looked up."""
    with projection.asking(reached) as asked:
        await asyncio.sleep(0.05)
        before = len(owners.asked)
        async with world.engine.begin() as conn:
            await projection.follow(conn, reached, asked)
    return before


async def renamed(world: World, child: UUID, name: str) -> RecordAt:
    """What an event says of a new version."""
    await world.owners.put("referrals", "CHILD", child, child_content(family_name=name), child)
    return RecordAt("referrals", "CHILD", child, child, world.owners.held[child].version)


async def test_the_owner_is_asked_ahead_of_a_child_who_is_known_to_be_held(world: World) -> None:
    child, stranger = await opened(world), await world.child()
    owners = Counted(world.owners)
    projection = Projection(world.engine, owners, mapping_context(world.region), RandomIds())
    assert await heard(projection, owners, world, await renamed(world, child, "Second")) == 0, "not known yet"
    assert await heard(projection, owners, world, await renamed(world, child, "Third")) == 2
    assert owners.asked == [(child, 1), (child, 2)], "once each"
    fourth, fifth = await renamed(world, child, "Fourth"), await renamed(world, child, "Fifth")
    await heard(projection, owners, world, fifth)
    assert owners.asked[2:] == [(child, 4), (child, 3)], "another version lies before what was asked for"
    await heard(projection, owners, world, fourth)
    assert owners.asked[4:] == [(child, 3)], "for nothing: it is projected already"
    for name in ("Second", "Third"):
        await heard(projection, owners, world, await renamed(world, stranger, name))
    assert len(owners.asked) == 5, "never of a stranger"
    assert (await world.visible(PSYCHOLOGY, child))["Patient"]["name"][0]["family"] == "Fifth"


async def test_an_owner_who_fails_ahead_fails_the_event(world: World) -> None:
    child = await opened(world)
    owners = Counted(world.owners)
    projection = Projection(world.engine, owners, mapping_context(world.region), RandomIds())
    await heard(projection, owners, world, await renamed(world, child, "Second"))
    third = await renamed(world, child, "Third")
    world.owners.away.add("referrals")
    with pytest.raises(DomainError):
        await heard(projection, owners, world, third)
    assert owners.asked == [(child, 1), (child, 2), (child, 2)], "once more, within the transaction"


async def test_what_was_asked_ahead_does_not_show_what_was_hidden_meanwhile(world: World) -> None:
    child = await opened(world)
    owners = Counted(world.owners)
    projection = Projection(world.engine, owners, mapping_context(world.region), RandomIds())
    await heard(projection, owners, world, await renamed(world, child, "Second"))
    third = await renamed(world, child, "Third")
    with projection.asking(third) as asked:
        await asyncio.sleep(0.05)
        await world.owners.put("referrals", "CHILD", child, referrals.Case(), child)
        with pytest.raises(Exception, match="holds"):
            await world.project(child)
        assert "Patient" not in await world.visible(PSYCHOLOGY, child)
        with pytest.raises(Exception, match="holds"):
            async with world.engine.begin() as conn:
                await projection.follow(conn, third, asked)
    assert "Patient" not in await world.visible(PSYCHOLOGY, child)
