"""Whether the process lives and can answer; without a token, and without saying anything else."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def health_routes(is_ready: Callable[[], bool]) -> list[Route]:
    """`/health/live` and `/health/ready` (503 without a valid lease)."""

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(_: Request) -> Response:
        ok = is_ready()
        return JSONResponse({"status": "ready" if ok else "waiting"}, 200 if ok else 503)

    return [Route("/health/live", live), Route("/health/ready", ready)]
