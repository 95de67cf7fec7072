"""The raw limit in a process of its own: `python serve.py DATABASE_URL`.

Prints {"port"} when it serves, by the exchange's own HTTP server. Ends with its standard input.
"""

import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import uvloop

from benchmarks.raw import Raw
from ecm.exchange.http.server import serving_http
from ecm.kit.telemetry import configure_logging


async def _serve(url: str) -> None:
    raw = Raw(url)
    await raw.start()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with serving_http(raw, "127.0.0.1:0", 1) as port:
        print(json.dumps({"port": port}), flush=True)
        await reader.read()


if __name__ == "__main__":
    configure_logging("raw", "WARNING", sys.stderr)
    uvloop.run(_serve(sys.argv[1]))
