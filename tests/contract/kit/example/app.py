"""A service of one method, run as a process by the kit's tests."""

import os
from typing import Any

from contract.kit.builders import EVENTS, KitSettings
from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.referrals.v1 import referrals_service_pb2 as service_pb2
from ecm.api.referrals.v1 import referrals_service_pb2_grpc as service_grpc
from ecm.kit.auth.policy import rule
from ecm.kit.db.uow import Tx
from ecm.kit.rpc.commands import Commands
from ecm.kit.service import Parts, Runtime, run_service


async def register(tx: Tx, request: Any) -> RecordRef:
    made = await tx.records.create("CHILD", request.child, child_id=None, yot="eastvale")
    return RecordRef(record_id=str(made.record_id), version=made.version)


class Servicer(service_grpc.ReferralsServiceServicer):
    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    async def RegisterChild(self, request: Any, context: Any) -> Any:
        return await self._commands.run(request, register, service_pb2.RegisterChildResponse)


async def fail() -> None:
    raise ValueError("Jane Doe")


def build(runtime: Runtime) -> Parts:
    servicer = Servicer(Commands(runtime.uow))
    background = [fail] if os.environ.get("KIT_TEST_FAILS") else []
    return Parts(lambda server: service_grpc.add_ReferralsServiceServicer_to_server(servicer, server), background)


if __name__ == "__main__":
    run_service(
        KitSettings(),
        EVENTS,
        build,
        policy={"RegisterChild": rule(people={"case-manager"}, command=True)},
        descriptors=[service_pb2.DESCRIPTOR.services_by_name["ReferralsService"]],
    )
