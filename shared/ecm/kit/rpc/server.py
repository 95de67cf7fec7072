"""One service's gRPC server: health, reflection, policy, a bounded and graceful stop."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health as health_service
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health
from grpc_reflection.v1alpha import reflection

from ecm.kit.auth.policy import Rule, by_full_name
from ecm.kit.auth.verifier import TokenVerifier
from ecm.kit.rates import Rates
from ecm.kit.region import Region
from ecm.kit.rpc.channel import LARGEST_MESSAGE
from ecm.kit.rpc.interceptor import AuthInterceptor
from ecm.kit.settings import ServiceSettings
from ecm.kit.telemetry import logger

AddServicers = Callable[[grpc.aio.Server], None]
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING

OPTIONS = (
    # Without this a second process would share the port, and get half of the calls.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.max_send_message_length", LARGEST_MESSAGE),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
)


class PortTakenError(Exception):
    """The address can't be served on; the message says what to do."""


@asynccontextmanager
async def serving(
    settings: ServiceSettings,
    service_descriptors: Sequence[ServiceDescriptor],
    add_servicers: AddServicers,
    policy: Mapping[str, Rule],
    verifier: TokenVerifier,
    *,
    region: Region,
) -> AsyncIterator[int]:
    """Serves within the block; yields the port. At its end calls are drained for `stop_seconds`.

    Raises PortTakenError; ValueError where the policy names a method that doesn't exist.
    """
    names = [service.full_name for service in service_descriptors]
    rates = Rates(settings.calls_per_second)
    guard = AuthInterceptor(by_full_name(policy, service_descriptors), verifier, region, rates)
    server = grpc.aio.server(interceptors=[guard], options=OPTIONS)
    add_servicers(server)
    checks = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    reflection.enable_server_reflection([*names, reflection.SERVICE_NAME, health_service.SERVICE_NAME], server)
    port = _bind(server, settings)
    await server.start()
    for name in ("", *names):
        await checks.set(name, SERVING)
    logger().info("grpc.serving", address=settings.listen, port=port)
    try:
        yield port
    finally:
        await _drain(server, checks, settings.stop_seconds)


async def until_signal() -> None:
    """Returns at SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await stop.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _bind(server: grpc.aio.Server, settings: ServiceSettings) -> int:
    try:
        return server.add_insecure_port(settings.listen)
    except RuntimeError:
        raise PortTakenError(
            f"{settings.listen} can't be served on, probably since something serves there already. "
            "Stop it, or set ECM_LISTEN to a free address."
        ) from None


async def _drain(server: grpc.aio.Server, checks: health.HealthServicer, seconds: float) -> None:
    logger().info("grpc.stopping")
    await checks.enter_graceful_shutdown()
    try:
        # Twice the grace: past it, stop() should have cancelled what is left; never wait on it for ever.
        async with asyncio.timeout(2 * seconds):
            await server.stop(seconds)
    except TimeoutError:
        logger().warning("grpc.stop_timed_out", seconds=2 * seconds)
