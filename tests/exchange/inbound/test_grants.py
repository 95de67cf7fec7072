"""`ApplyGrants` and `ApplyRegion`."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text

from ecm.api.common.v1.values_pb2 import View
from ecm.api.consent.v1.consent_records_pb2 import Grant
from ecm.api.exchange.v1 import exchange_service_pb2 as wire
from ecm.api.formulation.v1.formulation_records_pb2 import MEETING_STATE_HELD, Meeting
from ecm.kit.errors import DomainError
from exchange.inbound.world import COUNCIL, LINES, PSYCHOLOGY, PURPOSE, World, category_grant, expiring, patient_grant

SHARED = text("SELECT pg_advisory_xact_lock_shared(hashtextextended('ecm-agency:' || :agency, 0))")


async def opened(world: World) -> UUID:
    """A child whose Patient and referral psychology sees."""
    child = await world.child()
    await world.open_region()
    await world.grant(child, patient_grant(), category_grant("referral"))
    await world.look()
    return child


async def test_nothing_of_a_child_is_held_before_the_first_grant(world: World) -> None:
    child = await world.child()
    await world.open_region()
    await world.grant(child)
    await world.look()
    await world.project(child)
    assert await world.rows("SELECT 1 FROM resource WHERE child_id IS NOT NULL") == []
    assert await world.rows("SELECT 1 FROM projected_record") == []


async def test_the_first_grant_fetches_all_of_the_child(world: World) -> None:
    child = await opened(world)
    assert set(await world.visible(PSYCHOLOGY, child)) == {"Patient", "EpisodeOfCare", "ServiceRequest", "Task"}
    assert await world.visible(COUNCIL, child) == {}


async def test_the_answer_tells_where_the_set_stands(world: World) -> None:
    child = await opened(world)
    answer = await world.grant(child)
    assert (answer.epoch, answer.version) == (1, world.version)
    assert UUID(answer.incarnation)
    assert answer.HasField("enforced_at")


async def test_a_lower_version_is_ignored(world: World) -> None:
    child = await opened(world)
    await world.grant(child)
    late = wire.ApplyGrantsRequest(child_id=str(child), epoch=1, version=1, grants=[patient_grant()])
    assert (await world.grants.apply_child(late)).version == world.version
    assert await world.visible(PSYCHOLOGY, child) == {}


async def test_a_higher_epoch_wins_over_any_version(world: World) -> None:
    child = await opened(world)
    restored = wire.ApplyGrantsRequest(child_id=str(child), epoch=2, version=1)
    assert (await world.grants.apply_child(restored)).epoch == 2
    assert await world.visible(PSYCHOLOGY, child) == {}


async def test_a_set_that_cant_be_read_is_refused_whole(world: World) -> None:
    child = await opened(world)
    broken = patient_grant()
    broken.ClearField("view")
    with pytest.raises(DomainError):
        await world.grant(child, category_grant("referral"), broken)
    assert "Patient" in await world.visible(PSYCHOLOGY, child)


async def test_a_withheld_record_is_seen_by_nobody(world: World) -> None:
    child = await opened(world)
    await world.grant(child, patient_grant(), category_grant("referral"), withheld=(child,))
    assert set(await world.visible(PSYCHOLOGY, child)) == {"EpisodeOfCare", "ServiceRequest", "Task"}


async def test_a_view_decides_what_is_seen(world: World) -> None:
    child = await opened(world)
    await world.grant(child, patient_grant(view=View.VIEW_UNPROTECTED))
    assert "address" not in (await world.visible(PSYCHOLOGY, child))["Patient"]
    await world.grant(child, patient_grant(view=View.VIEW_MINIMUM))
    assert "gender" not in (await world.visible(PSYCHOLOGY, child))["Patient"]


async def test_an_agreements_end_ends_what_rests_on_it(world: World) -> None:
    child = await opened(world)
    ended = {key: line for key, line in LINES.items() if key != (PSYCHOLOGY, "referral")}
    await world.open_region(ended)
    assert await world.visible(PSYCHOLOGY, child) == {}
    assert [kind for kind, _ in await world.events()].count("unavailable") == 4


async def test_the_same_region_again_waits_for_no_agency(world: World) -> None:
    await opened(world)
    before = await world.events()
    async with world.engine.connect() as reader, reader.begin():
        await reader.execute(SHARED, {"agency": PSYCHOLOGY})
        answer = await asyncio.wait_for(world.open_region(), 2)
    assert answer.version == world.version
    assert await world.events() == before


async def test_what_closes_is_told_with_the_set_itself(world: World) -> None:
    child = await opened(world)
    assert [kind for kind, _ in await world.events()] == ["available"] * 4
    await world.grant(child)
    told = await world.events()
    assert [kind for kind, _ in told[4:]] == ["unavailable"] * 4
    assert [number for _, number in told] == list(range(1, 9))
    assert await world.events(COUNCIL) == []


async def test_applying_waits_for_those_who_read_under_the_old_set(world: World) -> None:
    child = await opened(world)
    async with world.engine.connect() as reader, reader.begin():
        await reader.execute(SHARED, {"agency": PSYCHOLOGY})
        applying = asyncio.create_task(world.grant(child))
        await asyncio.sleep(0.3)
        assert not applying.done()
        assert "Patient" in await world.visible(PSYCHOLOGY, child)
    await applying
    assert await world.visible(PSYCHOLOGY, child) == {}


async def test_an_end_by_the_clock_is_told_by_the_sweep(world: World) -> None:
    child = await world.child()
    await world.open_region()
    await world.grant(child, expiring(patient_grant(), 5.0))
    await world.look()
    assert await world.events() == [("available", 1)]
    await asyncio.sleep(5.1)
    world.worker._sweep_at = 0.0
    await world.look()
    assert await world.events() == [("available", 1), ("unavailable", 2)]


async def test_an_invitation_opens_the_appointment_and_nothing_of_the_meeting(world: World) -> None:
    child = await world.child()
    meeting = await world.owners.put("formulation", "MEETING", child, Meeting(state=MEETING_STATE_HELD))
    await world.open_region()
    line = str(LINES[COUNCIL, "invitation"])
    invited = Grant(recipient=COUNCIL, record_id=str(meeting), purposes=[PURPOSE], view=View.VIEW_FULL, line_id=line)
    both = (category_grant("formulation"), category_grant("invitation"), invited)
    await world.grant(child, *both)
    await world.look()
    assert set(await world.visible(COUNCIL, child)) == {"Appointment"}
    assert set(await world.visible(PSYCHOLOGY, child)) == {"Appointment", "Encounter", "ClinicalImpression"}
    await world.grant(child, *both, withheld=(meeting,))
    assert await world.visible(PSYCHOLOGY, child) == {}
