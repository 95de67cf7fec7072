"""The HTTP server: a taken port is said so, a stop answers what was begun."""

import asyncio
from typing import Any

import httpx
import pytest

from ecm.exchange.http.server import serving_http
from ecm.kit.rpc.server import PortTakenError


async def _slow(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.sleep(0.3)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"whole"})


async def test_a_taken_port_is_reported_with_what_to_do() -> None:
    async with serving_http(_slow, "127.0.0.1:0", 1) as port:
        with pytest.raises(PortTakenError, match="ECM_HTTP_LISTEN"):
            async with serving_http(_slow, f"127.0.0.1:{port}", 1):
                pass


async def test_what_was_begun_is_answered() -> None:
    async with httpx.AsyncClient() as client:
        async with serving_http(_slow, "127.0.0.1:0", 2) as port:
            begun = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/"))
            await asyncio.sleep(0.1)
        answer = await begun
    assert (answer.status_code, answer.text) == (200, "whole")
    assert "server" not in answer.headers
