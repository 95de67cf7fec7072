"""Whether the service of this container serves: `python -m ecm.kit.rpc.probe`, with the service's own settings.

gRPC health at ECM_LISTEN, and `/health/ready` at ECM_HTTP_LISTEN where that is set: of the exchange, which answers
nobody before it has its lease. Status 0 where all say so, else 1 with a reason.
"""

import os
import sys
import urllib.error
import urllib.request

import grpc
from grpc_health.v1 import health_pb2

SECONDS = 3.0


def main() -> None:
    """Ask, and end with the status."""
    refusals = [_grpc(os.environ["ECM_LISTEN"])]
    if listen := os.environ.get("ECM_HTTP_LISTEN"):
        refusals.append(_http(listen))
    if said := "; ".join(filter(None, refusals)):
        sys.exit(said)


def _grpc(listen: str) -> str:
    """Why gRPC doesn't serve (https://github.com/grpc/grpc/blob/master/doc/health-checking.md); "" where it does."""
    with grpc.insecure_channel(_own(listen), options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            answer = _check(channel)(health_pb2.HealthCheckRequest(), timeout=SECONDS)
        except grpc.RpcError as error:
            return f"gRPC doesn't answer: {error.code().name}"
    return "" if answer.status == health_pb2.HealthCheckResponse.SERVING else "gRPC doesn't serve"


def _check(
    channel: grpc.Channel,
) -> "grpc.UnaryUnaryMultiCallable[health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse]":
    return channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )


def _http(listen: str) -> str:
    """Why the FHIR side isn't ready; "" where it is."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        direct.open(f"http://{_own(listen)}/health/ready", timeout=SECONDS).close()
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}"
    except OSError as error:
        return f"HTTP doesn't answer: {type(error).__name__}"
    return ""


def _own(listen: str) -> str:
    """The address to ask: a service that listens everywhere is asked on loopback."""
    host, _, port = listen.rpartition(":")
    return f"{'127.0.0.1' if host in ('0.0.0.0', '[::]', '') else host}:{port}"  # noqa: S104 - nothing is bound here


if __name__ == "__main__":
    main()
