"""Builds and runs `ecm-formulation`."""

import grpc

from ecm.api.formulation.v1 import formulation_service_pb2
from ecm.api.formulation.v1.formulation_service_pb2_grpc import add_FormulationServiceServicer_to_server
from ecm.formulation.commands.narrowing import applying, asking
from ecm.formulation.consumer import concerns, listening
from ecm.formulation.peers import GrpcPeers
from ecm.formulation.policy import POLICY
from ecm.formulation.servicer import FormulationServicer
from ecm.formulation.settings import FormulationSettings
from ecm.formulation.store import record_events
from ecm.kit.bus.consumer import Consumer
from ecm.kit.bus.handling import in_transaction
from ecm.kit.bus.topics import service_topic
from ecm.kit.narrowing import Narrowings
from ecm.kit.service import Parts, Runtime, run_service

DESCRIPTORS = (formulation_service_pb2.DESCRIPTOR.services_by_name["FormulationService"],)


def build(runtime: Runtime) -> Parts:
    """The servicer, the narrowings' worker and the consumer of `referrals`' events."""
    referrals, consent = runtime.peer("referrals"), runtime.peer("consent")
    peers = GrpcPeers(referrals, consent)
    narrowings = Narrowings(runtime.uow, asking(runtime.uow, peers), applying())
    servicer = FormulationServicer(runtime.uow, peers, narrowings)

    def add(server: grpc.aio.Server) -> None:
        add_FormulationServiceServicer_to_server(servicer, server)

    topic = service_topic(runtime.region.slug, "referrals")
    group = runtime.settings.client_id
    consumer = Consumer(
        runtime.settings, [topic], group, in_transaction(listening(peers)), runtime.uow, concerns=concerns
    )
    return Parts(add, background=(narrowings.worker, consumer.run), peers=(referrals, consent))


def main() -> None:
    """Entry point `ecm-formulation`."""
    run_service(FormulationSettings(), record_events(), build, policy=POLICY, descriptors=DESCRIPTORS)


if __name__ == "__main__":
    main()
