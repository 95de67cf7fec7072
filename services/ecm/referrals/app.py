"""Builds `referrals` and runs it."""

import grpc

from ecm.api.referrals.v1 import referrals_service_pb2
from ecm.api.referrals.v1.referrals_service_pb2_grpc import add_ReferralsServiceServicer_to_server
from ecm.kit.bus.consumer import Consumer
from ecm.kit.bus.handling import in_transaction
from ecm.kit.bus.topics import service_topic
from ecm.kit.narrowing import Narrowings
from ecm.kit.service import Parts, Runtime, run_service
from ecm.referrals.commands.narrowing import Narrower
from ecm.referrals.commands.narrowing_kinds import KINDS
from ecm.referrals.consumer import CaseFollower, concerns
from ecm.referrals.peers import ConsentPeer, FormulationPeer
from ecm.referrals.policy import POLICY
from ecm.referrals.servicer import ReferralsServicer
from ecm.referrals.settings import ReferralsSettings
from ecm.referrals.store import record_events

SERVICES = (referrals_service_pb2.DESCRIPTOR.services_by_name["ReferralsService"],)
FOLLOWED = ("formulation", "consent")


def build(runtime: Runtime) -> Parts:
    """gRPC, the worker that completes narrowings, and the consumer by which cases follow the other services."""
    consent, formulation = runtime.peer("consent"), runtime.peer("formulation")
    narrower = Narrower(runtime.uow, ConsentPeer(consent), KINDS)
    narrowings = Narrowings(runtime.uow, narrower.ask, narrower.apply)
    servicer = ReferralsServicer(runtime.uow, narrower, narrowings)
    follower = CaseFollower(ConsentPeer(consent), FormulationPeer(formulation))

    def add(server: grpc.aio.Server) -> None:
        add_ReferralsServiceServicer_to_server(servicer, server)

    background = (narrowings.worker, _consumer(runtime, follower).run)
    return Parts(add, background, peers=(consent, formulation))


def _consumer(runtime: Runtime, follower: CaseFollower) -> Consumer:
    topics = [service_topic(runtime.region.slug, service) for service in FOLLOWED]
    group, handle = runtime.settings.client_id, in_transaction(follower.handle)
    return Consumer(runtime.settings, topics, group, handle, runtime.uow, concerns=concerns)


def main() -> None:
    """Entry point `ecm-referrals`."""
    run_service(ReferralsSettings(), record_events(), build, policy=POLICY, descriptors=SERVICES)


if __name__ == "__main__":
    main()
