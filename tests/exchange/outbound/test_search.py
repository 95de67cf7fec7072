"""Search: parameters, prefixes, totals and paging, each as far as the caller may see."""

from uuid import UUID, uuid4

import pytest

from exchange.outbound.world import BASE, COUNCIL, PSYCHOLOGY, Server, World, link, matches


async def _child(world: World, count: int = 1) -> tuple[UUID, UUID, list[UUID]]:
    child = uuid4()
    await world.grant(child, PSYCHOLOGY, "referral")
    await world.grant(child, PSYCHOLOGY, patient=True)
    patient = await world.patient(child)
    return child, patient, [await world.observation(child, patient) for _ in range(count)]


async def test_identifier_finds_the_child_only_with_a_grant(world: World, server: Server) -> None:
    _, patient, _ = await _child(world)
    asked = "Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|9990000042"
    assert [one["id"] for one in matches(await server.get(asked))] == [str(patient)]
    refused = await server.get(asked, COUNCIL)
    unknown = await server.get(asked.replace("0042", "0043"), COUNCIL)
    assert matches(refused) == []
    assert refused.content.replace(b"0042", b"0043") == unknown.content
    assert refused.json()["total"] == 0


async def test_post_is_the_same_search(world: World, server: Server) -> None:
    _, patient, found = await _child(world, 2)
    answer = await server.ask("POST", "Observation/_search", data={"patient": str(patient), "_count": "10"})
    assert {one["id"] for one in matches(answer)} == set(map(str, found))
    wrong = await server.ask("POST", "Observation/_search", content=b"{}", content_type="application/json")
    assert (wrong.status_code, wrong.json()["resourceType"]) == (415, "OperationOutcome")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("patient={p}", True),
        ("patient=Patient/{p}", True),
        (f"patient={BASE}/Patient/{{p}}", True),
        ("subject:Patient={p}", True),
        ("subject=Patient/{p}", True),
        ("subject=RelatedPerson/{p}", False),
        (f"patient={uuid4()}", False),
        ("patient=http://elsewhere.invalid/Patient/{p}", False),
        ("code=ace-1", True),
        ("code=http://codes.invalid|ace-1", True),
        ("code=http://codes.invalid|", True),
        ("code=|ace-1", False),
        ("code=other|ace-1", False),
        ("code=nothing,ace-1", True),
        ("code=ace-1&status=final", True),
        ("code=ace-1&status=amended", False),
        ("status=final&status=amended", False),
        ("_id={o}", True),
        ("_id={o},nonsense", True),
        ("_id=nonsense", False),
        ("date=2026-03-10", True),
        ("date=2026-03", True),
        ("date=2026", True),
        ("date=2026-03-10T10:00:00Z", False),
        ("date=ne2026-03-11", True),
        ("date=ne2026", False),
        ("date=gt2026-03-09", True),
        ("date=gt2026-03-10", False),
        ("date=ge2026-03-10", True),
        ("date=lt2026-03-11", True),
        ("date=lt2026-03-10", False),
        ("date=le2026-03-10", True),
        ("date=sa2026-03-09", True),
        ("date=sa2026-03-10", False),
        ("date=eb2026-03-11", True),
        ("date=eb2026-03-10", False),
        ("date=ge2026-03-01&date=lt2026-04-01", True),
        ("_lastUpdated=gt2026-01-01", True),
        ("_lastUpdated=lt2026-01-01T00:00:00%2B01:00", False),
    ],
)
async def test_parameters(world: World, server: Server, query: str, found: bool) -> None:
    _, patient, (observation,) = await _child(world)
    answer = await server.get("Observation?" + query.format(p=patient, o=observation))
    assert [one["id"] for one in matches(answer)] == ([str(observation)] if found else [])


@pytest.mark.parametrize(
    "query",
    [
        "code:in=http://vs.invalid",
        "subject:identifier=1",
        "status:missing=true",
        "date=ap2026",
        "date=2026-13-45",
        "date=yesterday",
        "code=",
        "_count=-1",
        "_count=many",
        "_total=perhaps",
        "_summary=text",
    ],
)
async def test_what_cannot_be_served_is_an_error(world: World, server: Server, query: str) -> None:
    answer = await server.get(f"Observation?{query}")
    assert (answer.status_code, answer.json()["resourceType"]) == (400, "OperationOutcome")
    assert [row["outcome"] for row in await world.audit()] == ["refused"]


async def test_unknown_parameters_are_reported_or_refused(world: World, server: Server) -> None:
    _, patient, (observation,) = await _child(world)
    query = f"Observation?patient={patient}&colour=blue&_sort=date"
    lenient = await server.get(query)
    assert [one["id"] for one in matches(lenient)] == [str(observation)]
    issues = lenient.json()["entry"][-1]["resource"]["issue"]
    assert [one["code"] for one in issues] == ["informational", "not-supported", "not-supported"]
    assert link(lenient, "self") == f"{BASE}/Observation?patient={patient}"
    strict = await server.get(query, prefer="handling=strict")
    assert (strict.status_code, strict.json()["issue"][0]["code"]) == (400, "not-supported")


async def test_what_everything_cannot_be_asked_for_is_an_error(world: World, server: Server) -> None:
    _, patient, _ = await _child(world)
    for query in ("_type=Observation,Nonsense", "_count=0", f"_count={'9' * 5000}", "_since=yesterday"):
        answer = await server.get(f"Patient/{patient}/$everything?{query}")
        assert (answer.status_code, answer.json()["issue"][0]["code"]) == (400, "value"), query
    told = await server.get(f"Patient/{patient}/$everything?colour=blue")
    assert "colour" in told.json()["entry"][-1]["resource"]["issue"][1]["details"]["text"]


async def test_a_page_link_takes_no_further_parameters(world: World, server: Server) -> None:
    _, patient, _ = await _child(world, 3)
    following = link(await server.get(f"Observation?patient={patient}&_count=2"), "next")
    assert following is not None
    path = following.removeprefix(f"{BASE}/")
    assert len(matches(await server.get(f"{path}&_format=json"))) == 1
    refused = await server.get(f"{path}&_count=1")
    assert (refused.status_code, "no further parameters" in refused.text) == (400, True)


async def test_every_bundle_has_the_same_notice(world: World, server: Server) -> None:
    _, patient, _ = await _child(world, 2)
    asked = [f"Observation?patient={patient}", f"Observation?patient={uuid4()}", f"Patient/{patient}/$everything"]
    notices = [(await server.get(one)).json()["entry"][-1] for one in asked]
    assert notices[0] == notices[1] == notices[2]
    assert notices[0]["search"] == {"mode": "outcome"}


async def test_totals_count_what_may_be_seen(world: World, server: Server) -> None:
    child, patient, _ = await _child(world, 5)
    await world.observation(child, patient, categories=("health",))
    page = await server.get(f"Observation?patient={patient}&_count=2")
    assert (page.json()["total"], len(matches(page))) == (5, 2)
    for query in ("_count=0", "_summary=count"):
        only = await server.get(f"Observation?patient={patient}&{query}")
        assert (only.json()["total"], matches(only), link(only, "next")) == (5, [], None)
    assert "total" not in (await server.get(f"Observation?patient={patient}&_total=none")).json()
    assert (await world.audit())[1]["outcome"] == "counted"


async def test_pages_join_without_gap_or_double_and_belong_to_their_client(world: World, server: Server) -> None:
    _, patient, found = await _child(world, 7)
    seen: list[str] = []
    url: str | None = f"{BASE}/Observation?patient={patient}&_count=3"
    pages = []
    while url:
        pages.append(url)
        answer = await server.get(url)
        assert answer.json()["total"] == 7
        seen += [one["id"] for one in matches(answer)]
        url = link(answer, "next")
    assert (len(pages), sorted(seen)) == (3, sorted(map(str, found)))
    assert str(patient) not in pages[1]
    assert (await server.get(pages[1], COUNCIL)).status_code == 400
    changed = pages[1][:-2] + ("AA" if not pages[1].endswith("AA") else "BB")
    assert (await server.get(changed)).json()["issue"][0]["code"] == "value"
    assert (await server.get(pages[1].replace("/Observation?", "/Task?"))).status_code == 400


async def test_after_the_end_of_the_grants_the_next_page_has_nothing(world: World, server: Server) -> None:
    _, patient, _ = await _child(world, 3)
    first = await server.get(f"Observation?patient={patient}&_count=2")
    await world.sql.execute("DELETE FROM grants")
    second = await server.get(link(first, "next") or "")
    assert (second.json()["total"], matches(second), link(second, "next")) == (0, [], None)


async def test_everything_goes_by_the_systems_own_child_column(world: World, server: Server) -> None:
    child, patient, found = await _child(world, 3)
    stranger = await world.observation(uuid4(), patient)
    unrelated = await world.resource(child, "Task", status="requested")
    hidden = await world.observation(child, patient, categories=("health",))
    answer = await server.get(f"Patient/{patient}/$everything")
    ids = [one["id"] for one in matches(answer)]
    assert ids[0] == str(patient)
    assert set(ids) == {str(patient), str(unrelated), *map(str, found)}
    assert not {str(stranger), str(hidden)} & set(ids)
    assert answer.json()["total"] == 5
    pages, url = [], f"{BASE}/Patient/{patient}/$everything?_count=2"
    while url:
        page = await server.get(url)
        pages += [one["id"] for one in matches(page)]
        url = link(page, "next") or ""
    assert pages == ids
    typed = await server.get(f"Patient/{patient}/$everything?_type=Task")
    assert [one["id"] for one in matches(typed)] == [str(unrelated)]
    narrow = await server.get(f"Patient/{patient}/$everything", scope="system/Patient.r system/Task.r")
    assert [one["resourceType"] for one in matches(narrow)] == ["Patient", "Task"]


async def test_everything_of_a_child_that_is_not_open_is_the_404(world: World, server: Server) -> None:
    _, patient, _ = await _child(world)
    refused = await server.get(f"Patient/{patient}/$everything", COUNCIL)
    unknown = await server.get(f"Patient/{uuid4()}/$everything", COUNCIL)
    assert (refused.status_code, refused.content) == (404, unknown.content)


async def test_appointment_is_found_by_supporting_info(world: World, server: Server) -> None:
    child, patient, _ = await _child(world)
    meeting = await world.resource(
        child,
        "Appointment",
        status="booked",
        start="2026-05-01T09:30:00+01:00",
        supportingInformation=[{"reference": f"Patient/{patient}"}],
    )
    query = f"Appointment?supporting-info=Patient/{patient}&date=2026-05-01T08:30:00Z&status=booked"
    assert [one["id"] for one in matches(await server.get(query))] == [str(meeting)]
    assert matches(await server.get(f"Appointment?patient={patient}")) == []
