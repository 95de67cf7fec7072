"""The issuer's HTTP face: discovery, keys, tokens."""

import time
from collections.abc import Callable
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ecm.admin.names import JWT_BEARER, TOKEN_SECONDS
from ecm.kit.scopes import SCOPES
from ecm.local.issuer.clients import PARTNER_ALGORITHMS
from ecm.local.issuer.grants import Grants
from ecm.local.issuer.minting import Mint
from ecm.local.issuer.refusals import Refused, invalid_request

LARGEST_FORM = 64 * 1024
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def build(mint: Mint, grants: Grants, now: Callable[[], float] = time.time) -> Starlette:
    """The application; `now` gives seconds since 1970."""

    async def configuration(_: Request) -> Response:
        return JSONResponse(discovery(mint.issuer))

    async def keys(_: Request) -> Response:
        return JSONResponse(mint.jwks(), headers={"Cache-Control": "max-age=300"})

    async def token(request: Request) -> Response:
        try:
            subject = grants.decide(await _form(request), int(now()))
        except Refused as refused:
            refusal = {"error": refused.code, "error_description": refused.description}
            return JSONResponse(refusal, refused.status, NO_STORE)
        signed = mint.token(subject, int(now()))
        body: dict[str, object] = {
            "access_token": signed,
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "scope": subject.scope,
        }
        return JSONResponse(body, headers=NO_STORE)

    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", configuration),
            Route("/jwks.json", keys),
            Route("/token", token, methods=["POST"]),
        ]
    )


def discovery(issuer: str) -> dict[str, object]:
    """OpenID Connect Discovery 1.0 §3, as far as a machine-to-machine issuer has it."""
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/jwks.json",
        "token_endpoint": f"{issuer}/token",
        "grant_types_supported": ["client_credentials", JWT_BEARER],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(PARTNER_ALGORITHMS),
        "id_token_signing_alg_values_supported": ["ES256"],
        "subject_types_supported": ["public"],
        "response_types_supported": [],
        "scopes_supported": list(SCOPES),
    }


async def _form(request: Request) -> dict[str, str]:
    """The request's form; a parameter given twice is an error (RFC 6749 §3.2)."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise invalid_request("Send application/x-www-form-urlencoded.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise invalid_request(f"The request is larger than {LARGEST_FORM} bytes.")
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    form = dict(pairs)
    if len(form) < len(pairs):
        raise invalid_request("A parameter is given twice.")
    return form
