"""Builds and runs `ecm-monitoring`."""

import grpc

from ecm.api.monitoring.v1 import monitoring_service_pb2
from ecm.api.monitoring.v1.monitoring_service_pb2_grpc import add_MonitoringServiceServicer_to_server
from ecm.kit.bus.consumer import Consumer
from ecm.kit.bus.handling import in_transaction
from ecm.kit.bus.topics import service_topic
from ecm.kit.service import Parts, Runtime, run_service
from ecm.monitoring.consumer import OWNERS, concerns, listening
from ecm.monitoring.hearing import Hearing
from ecm.monitoring.peers import PeerOwners
from ecm.monitoring.policy import POLICY
from ecm.monitoring.servicer import MonitoringServicer
from ecm.monitoring.settings import MonitoringSettings
from ecm.monitoring.store import record_events

SERVICES = (monitoring_service_pb2.DESCRIPTOR.services_by_name["MonitoringService"],)


def build(runtime: Runtime) -> Parts:
    """The servicer, and the consumer of the events of `referrals` and `formulation`."""
    peers = [runtime.peer(owner) for owner in OWNERS]
    hearing = Hearing(runtime.uow, PeerOwners(*peers))
    servicer = MonitoringServicer(runtime.uow, hearing)

    def add(server: grpc.aio.Server) -> None:
        add_MonitoringServiceServicer_to_server(servicer, server)

    topics = [service_topic(runtime.region.slug, owner) for owner in OWNERS]
    group = runtime.settings.client_id
    consumer = Consumer(
        runtime.settings, topics, group, in_transaction(listening(hearing)), runtime.uow, concerns=concerns
    )
    return Parts(add, background=(consumer.run,), peers=peers)


def main() -> None:
    """Entry point `ecm-monitoring`."""
    run_service(MonitoringSettings(), record_events(), build, policy=POLICY, descriptors=SERVICES)


if __name__ == "__main__":
    main()
