"""The local issuer behind a proxy: its keys and its tokens; its name stays its own."""

from faulting.proxy import Proxy


def through_to_issuer(proxy: Proxy) -> dict[str, str]:
    """Settings of a service that reaches the issuer through the proxy."""
    return {"ECM_JWKS_URL": f"http://{proxy.address}/jwks.json", "ECM_TOKEN_URL": f"http://{proxy.address}/token"}
