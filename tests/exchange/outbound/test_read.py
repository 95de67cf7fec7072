"""Read, vread and events: what a client gets, and the one 404."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from ecm.exchange.api import handover
from ecm.exchange.api.handover import TransferEndedError
from exchange.outbound.world import COUNCIL, PSYCHOLOGY, Server, World


async def test_a_grant_opens_the_resource_in_its_view(world: World, server: Server) -> None:
    child = uuid4()
    patient = await world.patient(child)
    await world.grant(child, PSYCHOLOGY, patient=True, view=3)
    await world.grant(child, COUNCIL, patient=True, view=1)
    full = await server.get(f"Patient/{patient}")
    assert (full.status_code, "address" in full.json()) == (200, True)
    assert full.headers["content-type"].startswith("application/fhir+json")
    assert full.headers["cache-control"] == "no-store"
    assert full.headers["etag"] == f'W/"{full.json()["meta"]["versionId"]}"'
    least = await server.get(f"Patient/{patient}", COUNCIL)
    assert {"address", "gender"} & set(least.json()) == set()


async def test_known_version_is_not_sent_again(world: World, server: Server) -> None:
    child = uuid4()
    patient = await world.patient(child)
    await world.grant(child, PSYCHOLOGY, patient=True)
    first = await server.get(f"Patient/{patient}")
    again = await server.get(f"Patient/{patient}", if_none_match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert [row["outcome"] for row in await world.audit()] == ["disclosed", "disclosed"]


async def test_parameters_that_a_read_has_no_use_for_are_told_or_refused(world: World, server: Server) -> None:
    child = uuid4()
    patient = await world.patient(child)
    await world.grant(child, PSYCHOLOGY, patient=True)
    plain, formatted = await server.get(f"Patient/{patient}"), await server.get(f"Patient/{patient}?_format=json")
    assert "warning" not in {*plain.headers, *formatted.headers}
    told = await server.get(f"Patient/{patient}?_elements=name&co%0D%0Alour=blue")
    assert (told.status_code, told.content) == (200, plain.content)
    assert told.headers["warning"] == '299 - "Ignored, since not served: _elements, co%0D%0Alour"'
    version = plain.json()["meta"]["versionId"]
    for path in (f"Patient/{patient}", f"Patient/{patient}/_history/{version}", "events/unknown"):
        strict = await server.get(f"{path}?_elements=name", prefer="handling=strict")
        assert (strict.status_code, strict.json()["issue"][0]["code"]) == (400, "not-supported")


async def test_everything_that_is_not_there_is_the_same_404(world: World, server: Server) -> None:
    child = uuid4()
    await world.grant(child, PSYCHOLOGY, "referral")
    not_granted = await world.resource(child, "Observation", categories=("health",))
    only_for = await world.resource(child, "Observation", only_for=COUNCIL)
    two_categories = await world.resource(child, "Observation", categories=("referral", "health"))
    no_rendition = await world.resource(child, "Observation", views=(2,))
    record = uuid4()
    withheld = await world.resource(child, "Observation", record=record)
    await world.sql.execute("INSERT INTO withheld VALUES ($1, $2)", child, record)
    hidden = await world.resource(child, "Observation")
    await world.sql.execute("UPDATE resource SET hidden = true WHERE id = $1", hidden)
    gone = (not_granted, only_for, two_categories, no_rendition, withheld, hidden, uuid4(), "not-an-id", "1")
    answers = [await server.get(f"Observation/{one}") for one in gone]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1
    assert {row["outcome"] for row in await world.audit()} == {"nothing"}


@pytest.mark.parametrize("case", ["line ended", "grant ended", "not yet", "other purpose", "no line"])
async def test_a_grant_holds_no_longer_than_what_it_rests_on(world: World, server: Server, case: str) -> None:
    child, past = uuid4(), datetime.now(UTC) - timedelta(seconds=1)
    line = await world.line(PSYCHOLOGY, "referral", until=past if case == "line ended" else None)
    await world.grant(
        child,
        PSYCHOLOGY,
        "referral",
        line=uuid4() if case == "no line" else line,
        until=past if case == "grant ended" else None,
        since=datetime.now(UTC) + timedelta(hours=1) if case == "not yet" else past,
        purposes=("research",) if case == "other purpose" else ("direct-care",),
    )
    found = await world.resource(child, "Observation")
    assert (await server.get(f"Observation/{found}")).status_code == 404


async def test_an_override_needs_no_agreement_and_no_purpose(world: World, server: Server) -> None:
    child = uuid4()
    await world.grant(child, COUNCIL, "health", override=uuid4(), purposes=())
    found = await world.resource(child, "Observation", categories=("health",))
    assert (await server.get(f"Observation/{found}", COUNCIL)).status_code == 200
    assert (await server.get(f"Observation/{found}", PSYCHOLOGY)).status_code == 404


async def test_a_restriction_narrows_to_what_has_a_rendition(world: World, server: Server) -> None:
    child = uuid4()
    await world.grant(child, PSYCHOLOGY, "referral", view=2)
    document = await world.resource(child, "DocumentReference", views=(3,))
    note = await world.resource(child, "Observation", views={2: {"note": "less"}, 3: {"note": "more"}})
    assert (await server.get(f"DocumentReference/{document}")).status_code == 404
    assert (await server.get(f"Observation/{note}")).json()["note"] == "less"


async def test_a_past_version_needs_its_own_category_and_the_present_one(world: World, server: Server) -> None:
    child, record = uuid4(), uuid4()
    await world.grant(child, PSYCHOLOGY, "referral")
    found = await world.resource(child, "Observation", record=record, version="v2", views=(3,))
    insert = (
        "INSERT INTO resource_version (type, id, view, child_id, record_id, categories, version_id, last_updated, body)"
        " VALUES ('Observation', $1, $2, $3, $4, $5, $6, now(), '{}')"
    )
    await world.sql.execute(insert, found, 3, child, record, ["referral"], "v1")
    await world.sql.execute(insert, found, 3, child, record, ["health"], "v0")
    await world.sql.execute(insert, found, 2, child, record, ["referral"], "narrow")
    await world.sql.execute(insert, found, 3, uuid4(), record, ["referral"], "moved")
    statuses = {
        v: (await server.get(f"Observation/{found}/_history/{v}")).status_code
        for v in ["v2", "v1", "v0", "narrow", "moved", "no"]
    }
    assert statuses == {"v2": 200, "v1": 200, "v0": 404, "narrow": 404, "moved": 404, "no": 404}
    await world.sql.execute("UPDATE resource SET categories = '{health}' WHERE id = $1", found)
    assert (await server.get(f"Observation/{found}/_history/v1")).status_code == 404


async def test_an_event_leads_its_own_client_to_what_a_read_would_give(world: World, server: Server) -> None:
    child = uuid4()
    patient = await world.patient(child)
    for agency in (PSYCHOLOGY, COUNCIL):
        await world.grant(child, agency, patient=True, view=2)
    await world.sql.execute("INSERT INTO dataref VALUES ('t0ken', $1, 'Patient', $2)", PSYCHOLOGY, patient)
    fetched = await server.get("events/t0ken")
    assert fetched.content == (await server.get(f"Patient/{patient}")).content
    assert (await server.get("events/t0ken", COUNCIL)).status_code == 404
    assert (await server.get("events/other")).status_code == 404
    await world.sql.execute("DELETE FROM grants")
    assert (await server.get("events/t0ken")).content == (await server.get(f"Patient/{uuid4()}")).content


async def test_directory_is_everybodys(world: World, server: Server) -> None:
    organization = await world.resource(None, "Organization", categories=(), views=(3,), name="Invented Council")
    assert (await server.get(f"Organization/{organization}", COUNCIL)).status_code == 200
    assert (await world.audit())[0]["disclosed"].count('"basis": "directory"') == 1


async def test_a_large_body_is_decided_anew_chunk_by_chunk(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By size alone, however slow the machine.
    monkeypatch.setattr(handover, "CHUNK_SECONDS", 600.0)
    child = uuid4()
    await world.grant(child, PSYCHOLOGY, "referral")
    large = {"text": "x" * 3_500_000}
    found = await world.resource(child, "DocumentReference", views={2: {}, 3: large})
    whole = await server.get(f"DocumentReference/{found}")
    assert whole.json()["text"] == large["text"]
    assert [row["outcome"] for row in await world.audit()] == ["disclosed"] * 4

    sent: list[dict[str, Any]] = []

    async def take(message: dict[str, Any]) -> None:
        sent.append(message)
        # Each piece has a message before it that waits for the client.
        if len(sent) == 40:
            # The child withdraws, or an address is protected, while the second chunk is on its way.
            await world.sql.execute("UPDATE grants SET view = 2")

    with pytest.raises(TransferEndedError):
        await server.application(server.scope(f"DocumentReference/{found}"), _no_body, take)
    received = sum(len(message.get("body", b"")) for message in sent)
    assert 2_000_000 < received < 2_200_000
    assert (await world.audit())[0]["outcome"] == "nothing"


async def _no_body() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}
