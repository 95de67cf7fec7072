"""Files of children by RPC: kept per YOT, numbered once, never half stored."""

import asyncio

import pytest
from sqlalchemy import func, select

from ecm.api.common.v1.values_pb2 import Date, Identifier
from ecm.api.referrals.v1 import referrals_records_pb2 as records
from ecm.api.referrals.v1 import referrals_service_pb2 as pb
from ecm.kit.db.tables import outbox, record, record_version
from ecm.kit.errors import DomainError, Reason
from rpc.referrals.desk import MANAGER, SENIOR, Desk, fresh_number
from unit.referrals.builders import child

NHS = "https://fhir.nhs.uk/Id/nhs-number"


async def counts(desk: Desk) -> tuple[int, ...]:
    async with desk.uow.engine.connect() as conn:
        tables = (record, record_version, outbox)
        return tuple([(await conn.execute(select(func.count()).select_from(table))).scalar_one() for table in tables])


def register(**changes: object) -> pb.RegisterChildRequest:
    values = {"local_case_number": fresh_number(), "nhs_number": ""} | changes
    return pb.RegisterChildRequest(yot="eastvale", child=child(**values))


async def test_a_registered_child_is_read_and_found_by_its_numbers(desk: Desk) -> None:
    number = fresh_number()
    child_id = await desk.child(local_case_number=number, nhs_number="9434765919")
    file = await desk.file(child_id)
    assert (file.child.family_name, file.yot, file.ref.version) == ("Zephyrson", "eastvale", 1)
    base = desk.uow.region.local_identifier_base
    for system, value in ((NHS, "9434765919"), (f"{base}/case-number/eastvale", number)):
        request = pb.FindChildrenRequest(identifier=Identifier(system=system, value=value))
        found = await desk.call(MANAGER, "FindChildren", request)
        assert [ref.record_id for ref in found.refs] == [child_id]
        assert not (await desk.call("other-case-manager", "FindChildren", request)).refs


async def test_another_yots_child_is_not_found(desk: Desk) -> None:
    child_id = await desk.child()
    for method, request in (
        ("GetChild", pb.GetChildRequest(child_id=child_id)),
        ("UpdateChild", pb.UpdateChildRequest(child_id=child_id, expected_version=1, child=child())),
        ("ProtectDetail", pb.ProtectDetailRequest(child_id=child_id, expected_version=1, kind=1)),
        ("OpenCase", pb.OpenCaseRequest(child_id=child_id)),
        ("ListFamilyMembers", pb.ListFamilyMembersRequest(child_id=child_id)),
        ("ListCases", pb.ListCasesRequest(child_id=child_id)),
        ("ListCases", pb.ListCasesRequest(yot="eastvale")),
    ):
        assert (await desk.refused("other-case-manager", method, request)).reason is Reason.NOT_FOUND


async def test_nobody_registers_for_another_yot_or_in_another_role(desk: Desk) -> None:
    before = await counts(desk)
    for person in (SENIOR, "analyst", "other-case-manager"):
        assert (await desk.refused(person, "RegisterChild", register())).reason is Reason.PERMISSION_DENIED
    assert await counts(desk) == before


@pytest.mark.parametrize(
    ("reason", "field", "changes"),
    [
        (Reason.NHS_NUMBER_INVALID, "child.nhs_number", {"nhs_number": "9434765918"}),
        (Reason.INVALID_VALUE, "child.gender", {"gender": 99}),
        (Reason.INVALID_VALUE, "child.date_of_birth", {"date_of_birth": Date(year=2012, month=2, day=31)}),
        (Reason.MISSING_VALUE, "child.family_name", {"family_name": ""}),
    ],
)
async def test_bad_input_is_named_and_nothing_is_stored(
    desk: Desk, reason: Reason, field: str, changes: dict[str, object]
) -> None:
    before = await counts(desk)
    refusal = await desk.refused(MANAGER, "RegisterChild", register(**changes))
    assert (refusal.reason, refusal.field) == (reason, field)
    assert await counts(desk) == before


async def test_a_number_is_given_once_within_a_yot(desk: Desk) -> None:
    number = fresh_number()
    first = await desk.child(local_case_number=number)
    refusal = await desk.refused(MANAGER, "RegisterChild", register(local_case_number=number.lower()))
    assert (refusal.reason, refusal.field) == (Reason.ALREADY_EXISTS, "child.local_case_number")
    request = pb.RegisterChildRequest(yot="westmoor", child=child(local_case_number=number, nhs_number=""))
    await desk.call("other-case-manager", "RegisterChild", request)
    renamed = child(local_case_number=fresh_number(), nhs_number="")
    await desk.call(MANAGER, "UpdateChild", pb.UpdateChildRequest(child_id=first, expected_version=1, child=renamed))
    await desk.child(local_case_number=number)


async def test_of_concurrent_registrations_one_wins(desk: Desk) -> None:
    number = fresh_number()
    calls = [desk.call(MANAGER, "RegisterChild", register(local_case_number=number)) for _ in range(5)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    refusals = [answer.reason for answer in answers if isinstance(answer, DomainError)]
    assert refusals == [Reason.ALREADY_EXISTS] * 4


async def test_a_repeated_key_changes_nothing(desk: Desk) -> None:
    request = register()
    first = await desk.call(MANAGER, "RegisterChild", request, key="register-once-0001")
    before = await counts(desk)
    assert await desk.call(MANAGER, "RegisterChild", request, key="register-once-0001") == first
    refusal = await desk.refused(MANAGER, "RegisterChild", register(), key="register-once-0001")
    assert refusal.reason is Reason.IDEMPOTENCY_KEY_REUSED
    assert await counts(desk) == before


async def test_an_update_needs_the_present_version(desk: Desk) -> None:
    child_id = await desk.child()
    fresh = child(local_case_number=fresh_number(), nhs_number="", family_name="Umberwick")
    for version, reason in ((0, Reason.VERSION_CONFLICT), (2, Reason.VERSION_CONFLICT)):
        request = pb.UpdateChildRequest(child_id=child_id, expected_version=version, child=fresh)
        assert (await desk.refused(MANAGER, "UpdateChild", request)).reason is reason
    await desk.call(MANAGER, "UpdateChild", pb.UpdateChildRequest(child_id=child_id, expected_version=1, child=fresh))
    assert (await desk.file(child_id)).child.family_name == "Umberwick"


async def test_a_family_has_a_tree(desk: Desk) -> None:
    child_id = await desk.child()
    mother = records.FamilyMember(given_names=["Ondine"], relationship=records.RELATIONSHIP_MOTHER)
    add = pb.AddFamilyMemberRequest(child_id=child_id, family_member=mother)
    mother_id = (await desk.call(MANAGER, "AddFamilyMember", add)).ref.record_id
    sibling = records.FamilyMember(relationship=records.RELATIONSHIP_SIBLING, parent_ids=[mother_id])
    add = pb.AddFamilyMemberRequest(child_id=child_id, family_member=sibling)
    sibling_id = (await desk.call(MANAGER, "AddFamilyMember", add)).ref.record_id
    mother.parent_ids.append(sibling_id)
    update = pb.UpdateFamilyMemberRequest(family_member_id=mother_id, expected_version=1, family_member=mother)
    refusal = await desk.refused(MANAGER, "UpdateFamilyMember", update)
    assert (refusal.reason, refusal.field) == (Reason.INVALID_VALUE, "family_member.parent_ids")
    stranger = pb.AddFamilyMemberRequest(child_id=await desk.child(), family_member=sibling)
    assert (await desk.refused(MANAGER, "AddFamilyMember", stranger)).field == "family_member.parent_ids[0]"
    listed = await desk.call(MANAGER, "ListFamilyMembers", pb.ListFamilyMembersRequest(child_id=child_id))
    assert [member.ref.record_id for member in listed.family_members] == [mother_id, sibling_id]


async def test_services_fetch_what_people_may_not(desk: Desk) -> None:
    child_id = await desk.child()
    request = pb.ListRecordVersionsRequest(record_id=child_id)
    versions = (await desk.call("ecm-exchange", "ListRecordVersions", request)).versions
    assert [(version.kind, version.version, version.yot) for version in versions] == [("CHILD", 1, "eastvale")]
    content = records.Child()
    assert versions[0].content.Unpack(content)
    assert content.family_name == "Zephyrson"
    assert (await desk.refused(MANAGER, "ListRecordVersions", request)).reason is Reason.PERMISSION_DENIED
