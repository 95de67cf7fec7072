"""Every RPC has a rule in its service's policy, and every rule an RPC."""

from importlib import import_module

import pytest

from architecture.source import SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_policy_and_proto_name_the_same_methods(service: str) -> None:
    proto = import_module(f"ecm.api.{service}.v1.{service}_service_pb2")
    methods = proto.DESCRIPTOR.services_by_name[f"{service.title()}Service"].methods_by_name
    policy = import_module(f"ecm.{service}.policy").POLICY
    assert set(policy) == set(methods)
    assert len(policy) >= 5
