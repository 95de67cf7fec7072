"""Whether something answers: the questions behind "healthy"."""

import asyncio

import grpc.aio
import httpx
from grpc_health.v1 import health_pb2

SERVER_ERROR = 500


async def listens(port: int) -> bool:
    """Whether a TCP connection to the loopback port is taken."""
    try:
        async with asyncio.timeout(2):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def http_answers(url: str) -> bool:
    """Whether a GET is answered, by anything but a server's error."""
    try:
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            return (await client.get(url)).status_code < SERVER_ERROR
    except httpx.HTTPError:
        return False


async def grpc_serves(port: int) -> bool:
    """Whether the gRPC health service says SERVING (https://github.com/grpc/grpc/blob/master/doc/health-checking.md)."""
    if not await listens(port):  # a failed channel would back off: ask it only where somebody listens
        return False
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0)]) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = await check(health_pb2.HealthCheckRequest(), timeout=2)
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
