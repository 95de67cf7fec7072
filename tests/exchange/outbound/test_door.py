"""Tokens, scopes, methods, formats: what is refused, how, and that the audit has it."""

import json
from uuid import uuid4

import httpx
import pytest
from fhir.resources.R4B.capabilitystatement import CapabilityStatement

from exchange.outbound.world import BASE, COUNCIL, PSYCHOLOGY, Server, World


async def _with(server: Server, authorization: str | None) -> httpx.Response:
    headers = {} if authorization is None else {"authorization": authorization}
    return await server.http.get(f"{BASE}/Patient/{uuid4()}", headers=headers)


async def test_without_a_good_token_nothing_is_told_or_written(world: World, server: Server) -> None:
    good = server.token()
    bad = [
        None,
        "Basic abc",
        "Bearer ",
        "Bearer nonsense",
        f"Bearer {good[:-4]}AAAA",
        f"Bearer {server.token(age=400)}",
        f"Bearer {server.token(audience='ecm-consent')}",
    ]
    for authorization in bad:
        answer = await _with(server, authorization)
        assert (answer.status_code, answer.json()["resourceType"]) == (401, "OperationOutcome"), authorization
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert (await _with(server, f"Bearer {good}")).status_code == 404
    assert len(await world.audit()) == 1


async def test_scopes_are_by_type_and_interaction(world: World, server: Server) -> None:
    some = uuid4()
    cases = [
        (f"Patient/{some}", "system/Patient.r", 404),
        (f"Patient/{some}", "system/Patient.s", 403),
        (f"Patient/{some}", "system/Task.rs", 403),
        (f"Patient/{some}/_history/1", "system/Patient.s", 403),
        ("Patient?_id=1", "system/Patient.r", 403),
        ("Patient?_id=1", "system/Patient.s", 200),
        (f"Patient/{some}/$everything", "system/Task.r", 403),
        (f"Patient/{some}", "system/Patient.xyz patient/Patient.r", 403),
        (f"Patient/{some}", "", 403),
    ]
    for path, scope, status in cases:
        answer = await server.get(path, scope=scope)
        assert answer.status_code == status, (path, scope)
    refused = [row for row in await world.audit() if row["outcome"] == "refused"]
    assert len(refused) == 7
    assert all(row["asked"] for row in refused)


async def test_a_blocked_client_and_one_the_region_set_lacks(world: World, server: Server) -> None:
    await world.client(PSYCHOLOGY, blocked=True)
    await world.sql.execute("DELETE FROM client WHERE client_id = $1", COUNCIL)
    for client in (PSYCHOLOGY, COUNCIL, "nobody"):
        for path in (f"Patient/{uuid4()}", "Patient?_id=1", "Nonsense"):
            assert (await server.get(path, client)).status_code == 403, (client, path)
    assert {row["outcome"] for row in await world.audit()} == {"refused"}
    assert len(await world.audit()) == 9


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "Nonsense/1", 404),
        ("GET", "Nonsense", 404),
        ("GET", "", 405),
        ("POST", "", 403),
        ("DELETE", "Patient/1", 405),
        ("PATCH", "Patient/1", 405),
        ("PUT", "Patient/1", 403),
        ("POST", "Patient", 403),
        ("GET", "Patient/_search", 405),
        ("POST", "Patient/1/$everything", 405),
        ("GET", "Observation/1/$everything", 404),
        ("GET", "Patient/1/_history/2/3", 404),
        ("GET", "Patient/1?_format=xml", 406),
        ("GET", "events/one/two", 404),
    ],
)
async def test_what_is_not_served(world: World, server: Server, method: str, path: str, status: int) -> None:
    answer = await server.ask(method, path)
    assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome")
    assert answer.headers["content-type"].startswith("application/fhir+json")
    (row,) = await world.audit()
    assert row["outcome"] == "refused"
    if status == 405:
        assert answer.headers["allow"]


async def test_formats(world: World, server: Server) -> None:
    for accept, status in [("application/fhir+xml", 406), ("text/html,*/*;q=0.1", 404), ("application/json", 404)]:
        assert (await server.get(f"Patient/{uuid4()}", accept=accept)).status_code == status


async def test_without_a_lease_nobody_gets_anything_and_nothing_is_written(world: World, server: Server) -> None:
    server.lease.held = False
    for path in (f"Patient/{uuid4()}", "Patient?_id=1", "Nonsense"):
        answer = await server.get(path)
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    assert await world.audit() == []


async def test_a_busy_database_is_said_as_such_and_not_as_a_fault(world: World, server: Server) -> None:
    """Where an event's address can't be looked up in time, nothing is disclosed and nothing is wrong."""
    async with world.sql.transaction():
        await world.sql.execute("LOCK TABLE dataref IN ACCESS EXCLUSIVE MODE")
        answer = await server.get("events/an-address")
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "PEER_UNREACHABLE"
    assert await world.audit() == []
    assert (await server.get("events/an-address")).status_code == 404


async def test_open_documents(server: Server) -> None:
    metadata = await server.http.get(f"{BASE}/metadata")
    statement = CapabilityStatement.model_validate_json(metadata.content)
    assert statement.fhirVersion == "4.0.1"
    kinds = {one.type: one for one in statement.rest[0].resource}
    assert "status" not in [p.name for p in kinds["RiskAssessment"].searchParam]
    assert "authored" in [p.name for p in kinds["ServiceRequest"].searchParam]
    smart = (await server.http.get(f"{BASE}/.well-known/smart-configuration")).json()
    assert smart["token_endpoint"] == "https://public.example.invalid/token"
    assert smart["jwks_uri"].endswith("/jwks.json")
    assert smart["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert "system/Patient.rs" in smart["scopes_supported"]
    assert (await server.http.get("http://exchange.invalid/elsewhere")).json()["resourceType"] == "OperationOutcome"
    assert (await server.http.get("http://exchange.invalid/health/live")).status_code == 200


async def test_audit_tells_shapes_and_never_values(world: World, server: Server) -> None:
    child = uuid4()
    patient = await world.patient(child)
    await server.get("Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|9990000042&John%20Doe=1", COUNCIL)
    await server.get(f"Patient/{patient}", COUNCIL, x_asserted_user="worker-7")
    await server.get(f"Observation?patient=Patient/{patient}&date=2026", COUNCIL)
    by_reference, read, by_identifier = await world.audit()
    assert by_identifier["shape"] == "GET Patient?=&identifier".replace("?=", "??")
    assert (read["shape"], read["interaction"], read["asserted_user"]) == ("GET Patient/[id]", "read", "worker-7")
    assert by_reference["shape"] == "GET Observation?date&patient"
    assert (
        server.fingerprints.of_identifier("https://fhir.nhs.uk/Id/nhs-number", "999 000 0042") in by_identifier["asked"]
    )
    assert read["asked"] == [server.fingerprints.of_id(patient)]
    assert server.fingerprints.of_id(patient) in by_reference["asked"]
    assert "9990000042" not in json.dumps([dict(row) for row in await world.audit()], default=str)
