"""One server of the benchmark in a process of its own: `python serve.py raw|ours DATABASE_URL`.

Prints {"port", "token"} when it serves; prints the same with a new token for each line that it reads. Ends with its
standard input.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import uvloop

import ecm.exchange.app  # noqa: F401 - its memory is the exchange's, gRPC and Kafka included
from benchmarks.raw import Raw
from ecm.exchange.audit.chain import Signer
from ecm.exchange.audit.sealer import Sealer
from ecm.exchange.http import serving_http
from ecm.kit.clock import SystemClock
from ecm.kit.db.engine import make_engine
from ecm.kit.region import load_region
from exchange.outbound.world import Server

REGION = Path(__file__).parents[2] / "deploy/regions/example/region.yaml"


async def _ours(url: str, checkpoints: Path) -> tuple[Any, Server]:
    engine = make_engine(url, app_name="bench")
    server = Server(url, engine, load_region(REGION))
    await server.writers.start()
    sealer = Sealer(engine, Signer(b"s" * 32), checkpoints, SystemClock())
    # Chaining what was disclosed is part of the price.
    asyncio.create_task(sealer.run(), name="sealer")  # noqa: RUF006 - as long as the process
    return server.application, server


async def _raw(url: str) -> tuple[Any, None]:
    raw = Raw(url)
    await raw.start()
    return raw, None


async def _serve(which: str, url: str, folder: str) -> None:
    application, server = await (_ours(url, Path(folder)) if which == "ours" else _raw(url))
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with serving_http(application, "127.0.0.1:0", 1) as port:
        while True:
            print(json.dumps({"port": port, "token": server.token() if server else ""}), flush=True)
            if not await reader.readline():
                return


if __name__ == "__main__":
    from ecm.kit.telemetry import configure_logging

    configure_logging("bench", "WARNING", sys.stderr)
    with tempfile.TemporaryDirectory() as made:
        uvloop.run(_serve(*sys.argv[1:], made))
