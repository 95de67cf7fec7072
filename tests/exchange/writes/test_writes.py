"""Each write of the table, and its failure twins, against the real database."""

from uuid import UUID, uuid4

import pytest

from ecm.exchange.api import answering
from ecm.kit.errors import DomainError, Reason
from exchange.writes.world import COUNCIL, PSYCHOLOGY
from unit.exchange.intake import posted


def issue(response):
    return response.json()["issue"][0]


async def test_a_map_is_recorded_and_read_back(journey):
    answer = await journey.post(journey.about(posted.developmental_map()), prefer="return=representation")
    assert answer.status_code == 201, answer.text
    rpc, request, _, actor = journey.formulation.calls[0]
    assert (rpc, request.case_id) == ("RecordDevelopmentalMap", str(journey.case))
    assert (actor.agency, actor.client, actor.practitioner.registration) == (PSYCHOLOGY, PSYCHOLOGY, "PYL00001")
    read = await journey.get(answer.headers["location"].partition("/_history/")[0])
    assert read.status_code == 200
    assert read.content == answer.content
    assert (read.headers["etag"], read.headers["last-modified"]) == (
        answer.headers["etag"], answer.headers["last-modified"],
    )  # fmt: skip
    assert answer.headers["location"].endswith(read.json()["meta"]["versionId"])
    assert (await journey.get(answer.headers["location"])).content == answer.content


async def test_without_preference_the_answer_has_no_body(journey):
    answer = await journey.post(journey.about(posted.developmental_map()))
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["etag"]
    answer = await journey.post(journey.about(posted.plan()), prefer="return=OperationOutcome")
    assert (answer.status_code, answer.json()["resourceType"]) == (201, "OperationOutcome")
    assert answer.headers["etag"]


async def test_the_council_answers_its_own_invitation(journey):
    answer = await journey.post(journey.about(posted.response()), COUNCIL, prefer="return=representation")
    assert answer.status_code == 201, answer.text
    assert answer.json()["participantStatus"] == "accepted"
    rpc, request, _, actor = journey.formulation.calls[0]
    assert (rpc, request.invitation_id) == ("AnswerInvitation", str(journey.invitations[COUNCIL]))
    assert not actor.HasField("practitioner")


async def test_a_contribution_is_seen_once_its_own_grant_is_there(journey):
    known = set(journey.inward.owners.held)

    async def opened() -> None:
        (record,) = set(journey.inward.owners.held) - known
        await journey.grant(journey.record_grant(record))

    project = journey.inward.projection.project

    async def project_and_open(*args):
        await project(*args)
        await opened()

    journey.inward.projection.project = project_and_open
    answer = await journey.post(journey.about(posted.contribution()), COUNCIL, prefer="return=representation")
    assert answer.status_code == 201, answer.text
    assert answer.json()["content"][0]["attachment"]["title"] == "Invented"


async def test_what_cant_be_seen_in_time_is_answered_as_committed(journey, monkeypatch):
    monkeypatch.setattr(answering, "VISIBLE_SECONDS", 0.2)
    answer = await journey.post(journey.about(posted.contribution()), COUNCIL, prefer="return=representation")
    assert (answer.status_code, answer.content) == (201, b"")
    assert "etag" not in answer.headers
    assert (await journey.get(answer.headers["location"], COUNCIL)).status_code == 404


async def test_a_projection_that_fails_is_no_refusal(journey, monkeypatch):
    monkeypatch.setattr(answering, "VISIBLE_SECONDS", 0.2)
    journey.inward.owners.away.add("formulation")
    answer = await journey.post(journey.about(posted.developmental_map()))
    assert (answer.status_code, answer.content) == (201, b"")


@pytest.mark.parametrize("kind", ["Patient", "Appointment", "Encounter"])
async def test_what_cant_be_seen_is_told_like_what_doesnt_exist(journey, kind):
    await journey.inward.grant(journey.child)
    hidden = {
        "Patient": (posted.developmental_map(), PSYCHOLOGY),
        "Appointment": (posted.response(), COUNCIL),
        "Encounter": (posted.report(), PSYCHOLOGY),
    }[kind]
    resource, client = hidden
    real = await journey.post(journey.about(resource), client)
    invented = await journey.post(resource, client)
    assert real.status_code == invented.status_code == 422
    assert real.content == invented.content
    assert journey.formulation.calls == []


async def test_what_belongs_together_is_of_one_child(journey):
    other = await journey.inward.child()
    journey.child, mine = other, journey.child
    await journey.grant()
    await journey.inward.look()
    resource = journey.about(posted.report())
    journey.child = mine
    answer = await journey.post(resource)
    assert answer.status_code == 422
    assert "child" in issue(answer)["details"]["text"]


async def test_a_draft_becomes_final_at_the_version_that_was_read(journey):
    made = await journey.post(journey.about(posted.report()))
    assert made.status_code == 201, made.text
    draft = UUID(made.headers["location"].split("/")[-3])
    read = await journey.get(f"DocumentReference/{draft}")
    final = journey.about(posted.report("final", id=str(draft), extension=posted.holds("none")))
    assert (await journey.put(final)).status_code == 400
    wrong = await journey.put(final, if_match='W/"another"')
    assert (wrong.status_code, issue(wrong)["code"]) == (412, "conflict")
    answer = await journey.put(final, if_match=read.headers["etag"], prefer="return=representation")
    assert answer.status_code == 201, answer.text
    assert answer.json()["docStatus"] == "final"
    assert answer.json()["id"] != str(draft)


async def test_an_accuracy_check_in_between_is_no_conflict_and_a_new_draft_is(journey):
    made = await journey.post(journey.about(posted.report()))
    draft = made.headers["location"].split("/")[-3]
    etag = (await journey.get(f"DocumentReference/{draft}")).headers["etag"]
    owners, record = journey.inward.owners, UUID(journey.formulation.answers.popitem()[1].record_id)
    # A newer version that looks the same to psychology, and that the exchange hasn't heard of.
    checked = journey.formulation.drafted(record)
    checked.checks.add(by="case-manager")
    await owners.put("formulation", "REPORT_DRAFT", journey.child, checked, record)
    final = journey.about(posted.report("final", id=draft))
    answer = await journey.put(final, if_match=etag)
    assert answer.status_code == 201, answer.text
    assert [call[1].expected_version for call in journey.formulation.calls[1:]] == [1, 2]

    checked.document.content = b"%PDF-1.7 another"
    await owners.put("formulation", "REPORT_DRAFT", journey.child, checked, record)
    stale = await journey.put(journey.about(posted.report("preliminary", id=draft)), if_match=etag)
    assert stale.status_code == 412


async def test_the_same_update_again_is_answered_the_same(journey):
    made = await journey.post(journey.about(posted.plan()))
    assert made.status_code == 201, made.text
    plan = made.headers["location"].split("/")[-3]
    etag = (await journey.get(f"CarePlan/{plan}")).headers["etag"]
    changed = journey.about(posted.plan(id=plan, activity=[posted.activity("r1", "Another")]))
    first = await journey.put(changed, if_match=etag)
    assert first.status_code == 200, first.text
    again = await journey.put(changed, if_match=etag)
    assert (again.status_code, again.headers["location"]) == (200, first.headers["location"])
    other = journey.about(posted.plan(id=plan, activity=[posted.activity("r1", "A third")]))
    assert (await journey.put(other, if_match=etag)).status_code == 412

    etag = (await journey.get(f"CarePlan/{plan}")).headers["etag"]
    key = uuid4().hex
    assert (await journey.put(other, if_match=etag, idempotency_key=key)).status_code == 200
    assert (await journey.put(changed, if_match=etag, idempotency_key=key)).status_code == 409


async def test_the_same_key_is_the_same_command(journey):
    key = uuid4().hex
    resource = journey.about(posted.developmental_map())
    answers = [await journey.post(resource, idempotency_key=key) for _ in range(2)]
    assert {answer.headers["location"] for answer in answers} == {answers[0].headers["location"]}
    assert {call[2] for call in journey.formulation.calls} == {key}
    assert (await journey.post(resource, idempotency_key="short")).status_code == 400


@pytest.mark.parametrize(
    ("client", "resource", "headers", "status"),
    [
        (COUNCIL, posted.developmental_map(), {}, 403),
        (COUNCIL, posted.plan(), {}, 403),
        (COUNCIL, posted.report(), {}, 403),
        ("custody-northgate", posted.contribution(), {}, 403),
        (PSYCHOLOGY, {"resourceType": "Patient"}, {}, 403),
        (PSYCHOLOGY, posted.developmental_map(), {"x_provenance": ""}, 422),
        (PSYCHOLOGY, posted.developmental_map(), {"x_provenance": "{}"}, 400),
        (PSYCHOLOGY, posted.developmental_map(), {"content_type": "application/fhir+xml"}, 415),
        (PSYCHOLOGY, posted.developmental_map(), {"content_type": ""}, 415),
        (PSYCHOLOGY, posted.developmental_map(), {"if_none_exist": "identifier=x"}, 400),
        (PSYCHOLOGY, posted.developmental_map(status="bogus"), {}, 422),
    ],
)
async def test_what_is_refused_reaches_nobody_and_is_in_the_audit(journey, client, resource, headers, status):
    answer = await journey.post(journey.about(resource), client, **headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert journey.formulation.calls == []
    rows = await journey.inward.rows("SELECT interaction, outcome FROM audit ORDER BY at, n")
    assert rows
    assert {row.interaction for row in rows} == {"command"}
    assert "disclosed" not in {row.outcome for row in rows}


async def test_the_element_at_fault_is_named(journey):
    answer = await journey.post(journey.about(posted.developmental_map(status="bogus")))
    assert issue(answer)["expression"] == ["Observation.status"]


async def test_bodies_are_bounded_and_strict(journey):
    for body, status in ((b"{", 400), (b'{"resourceType": "Observation", "resourceType": "Observation"}', 400),
                         (b'{"resourceType": "Patient"}', 422), (b" " * (12 * 1024 * 1024 + 1), 413)):  # fmt: skip
        assert (await journey.send("POST", "Observation", body)).status_code == status


async def test_a_refusal_of_formulation_is_the_answer(journey):
    journey.formulation.refuse = DomainError(Reason.CONSENT_REQUIRED, "Consent isn't given.")
    answer = await journey.post(journey.about(posted.developmental_map()))
    assert (answer.status_code, issue(answer)["code"]) == (422, "business-rule")
    journey.formulation.refuse = DomainError(Reason.PEER_UNREACHABLE, "Away.")
    answer = await journey.post(journey.about(posted.developmental_map()))
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


async def test_an_attempt_is_found_by_the_child_that_it_named(journey):
    await journey.inward.grant(journey.child)
    await journey.post(journey.about(posted.developmental_map()))
    fingerprint = journey.server.fingerprints.of_id(journey.patient)
    rows = await journey.inward.rows(
        "SELECT outcome FROM audit WHERE asked @> ARRAY[CAST(:mac AS bytea)]", mac=fingerprint
    )
    assert [row.outcome for row in rows] == ["refused"]


async def test_nothing_is_written_without_a_lease_or_by_a_blocked_client(journey):
    journey.server.lease.held = False
    assert (await journey.post(journey.about(posted.developmental_map()))).status_code == 503
    journey.server.lease.held = True
    async with journey.inward.engine.begin() as conn:
        from sqlalchemy import text

        await conn.execute(text("UPDATE client SET blocked = true"))
    assert (await journey.post(journey.about(posted.developmental_map()))).status_code == 403
    assert journey.formulation.calls == []


async def test_an_unknown_id_is_updated_by_nobody(journey):
    resource = journey.about(posted.report(id=str(uuid4())))
    assert (await journey.put(resource, if_match='W/"x"')).status_code == 404
    odd = journey.about(posted.report(id="not-a-uuid"))
    assert (await journey.put(odd, if_match='W/"x"')).status_code == 404
