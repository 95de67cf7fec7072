"""Every RPC with every role, another YOT's roles, every service, and a partner's token (checklist 231)."""

import pytest

from ecm.api.monitoring.v1 import monitoring_service_pb2 as pb
from ecm.kit.auth.roles import ALL_ROLES, ALL_SERVICES, EXCHANGE
from ecm.kit.errors import DomainError, Reason
from ecm.monitoring.app import SERVICES
from ecm.monitoring.policy import POLICY
from rpc.tokens import Forge

METHODS = sorted(method.name for method in SERVICES[0].methods)


async def reason(monitoring, token, method):
    """Why an empty request is refused; None where it is answered."""
    try:
        await monitoring.call_with(token, method, getattr(pb, f"{method}Request")())
    except DomainError as error:
        return error.reason
    return None


@pytest.mark.parametrize("method", METHODS)
async def test_only_the_listed_roles_come_in(monitoring, infrastructure, method):
    forge = Forge.local(infrastructure)
    for role in sorted(ALL_ROLES):
        found = await reason(monitoring, forge.sign(forge.person(role=role)), method)
        assert (found is not Reason.PERMISSION_DENIED) == (role in POLICY[method].people), role


@pytest.mark.parametrize("method", METHODS)
async def test_services_come_in_to_fetch_and_the_exchange_alone(monitoring, infrastructure, method):
    for service in sorted(ALL_SERVICES - {"ecm-monitoring"}):
        found = await reason(monitoring, infrastructure.token(client=service, audience="ecm-monitoring"), method)
        fetches = service == EXCHANGE and method in ("ListRecordVersions", "ListChildRecords")
        assert (found is not Reason.PERMISSION_DENIED) == fetches, service


@pytest.mark.parametrize("method", METHODS)
async def test_a_partners_token_opens_nothing(monitoring, infrastructure, method):
    token = infrastructure.token(client="nhs-psychology")
    assert await reason(monitoring, token, method) is Reason.TOKEN_AUDIENCE


@pytest.mark.parametrize("method", [name for name in METHODS if POLICY[name].people])
async def test_another_yots_roles_reach_no_case(monitoring, infrastructure, method):
    forge = Forge.local(infrastructure)
    _, case_id = monitoring.accepted_case()
    request = getattr(pb, f"{method}Request")()
    fields = request.DESCRIPTOR.fields_by_name
    if "case_id" in fields:
        request.case_id = str(case_id)
    elif "yot" in fields:
        request.yot = "eastvale"
    for role in sorted(POLICY[method].people):
        token = forge.sign(forge.person(yot="westmoor", role=role, agency="yot-westmoor"))
        with pytest.raises(DomainError) as refused:
            await monitoring.call_with(token, method, request)
        scope = (Reason.NOT_FOUND, Reason.PERMISSION_DENIED)
        # Neither a case nor a YOT in the request: the plan's id, or the caseload's content, is missing.
        assert refused.value.reason in (scope if {"case_id", "yot"} & set(fields) else (*scope, Reason.INVALID_VALUE))
