"""Whether something answers: the questions behind "healthy"."""

import asyncio

import httpx


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
            return (await client.get(url)).status_code < 500
    except httpx.HTTPError:
        return False


async def grpc_serves(port: int) -> bool:
    """Whether the gRPC health service says SERVING (https://github.com/grpc/grpc/blob/master/doc/health-checking.md)."""
    if not await listens(port):  # a failed channel would back off: ask it only where somebody listens
        return False
    import grpc.aio
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=2)
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
