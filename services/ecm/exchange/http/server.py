"""HTTP: uvicorn, started and stopped from within the process's own loop."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from ecm.exchange.http.connections import Connections
from ecm.kit.rpc.server import PortTakenError
from ecm.kit.telemetry import logger

BACKLOG = 2_048


class _Server(uvicorn.Server):
    """Signals are the process's own affair."""

    def install_signal_handlers(self) -> None:
        """Leaves them alone."""


@asynccontextmanager
async def serving_http(
    application: ASGIApp, listen: str, stop_seconds: float, *, per_address: int = 0
) -> AsyncIterator[int]:
    """Serves within the block; yields the port. At its end requests are drained for `stop_seconds`.

    `per_address` is how many connections one address may have, 0 for any number.
    Raises PortTakenError, whose message says what to do.
    """
    opened = _bind(listen)
    # What is there before the first request stays: the collector needn't look through it again and again.
    gc.collect()
    gc.freeze()
    connections = Connections(per_address)
    protocol: Any = connections.protocol
    config = uvicorn.Config(
        application,
        http=protocol,
        ws="none",
        # No access log: addresses hold identifiers.
        access_log=False,
        log_config=None,
        lifespan="off",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=max(int(stop_seconds), 1),
    )
    server = _Server(config)
    task = asyncio.create_task(server._serve([opened]), name="http")
    watch = asyncio.create_task(connections.watch(), name="http-watch")
    while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port: int = opened.getsockname()[1]
    logger().info("http.serving", address=listen, port=port)
    try:
        yield port
    finally:
        server.should_exit = True
        watch.cancel()
        await asyncio.wait([task], timeout=2 * stop_seconds + 1)


def _bind(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host.strip("[]"), int(port)))
        opened.listen(BACKLOG)
    except OSError:
        opened.close()
        raise PortTakenError(
            f"{listen} can't be served on, probably since something serves there already. "
            "Stop it, or set ECM_HTTP_LISTEN to a free address (and ECM_FHIR_BASE with it)."
        ) from None
    opened.setblocking(False)
    return opened
