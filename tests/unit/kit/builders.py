"""Small builders for the kit's tests."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

from ecm.kit.auth.principal import Principal, PrincipalKind
from ecm.kit.region import Region, load_region

REPOSITORY = Path(__file__).parents[3]
EXAMPLE_REGION = REPOSITORY / "deploy" / "regions" / "example" / "region.yaml"
ISSUER = "http://issuer.test"


@cache
def example_region() -> Region:
    """The example region."""
    return load_region(EXAMPLE_REGION)


class FakeClock:
    """A clock that moves only when told."""

    def __init__(self, at: datetime = datetime(2026, 11, 24, 12, tzinfo=UTC)) -> None:
        self.at = at
        self.seconds = 1000.0

    def now(self) -> datetime:
        return self.at

    def boottime(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.seconds += seconds


def person(*roles: tuple[str, str], subject: str = "case-manager") -> Principal:
    """A person of Eastvale's agency with these (yot, role) pairs."""
    held = roles or (("eastvale", "case-manager"),)
    return Principal(PrincipalKind.PERSON, subject, agency="yot-eastvale", roles=frozenset(held), client="ecm-cli")


class TestIssuer:
    """An issuer without a network: a key, its JWKS behind an httpx transport, and tokens."""

    __test__ = False

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.key = ECKey.generate_key("P-256", {"kid": "k1", "alg": "ES256", "use": "sig"})
        self.keys = [self.key]
        self.asked = 0
        self.away = False

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.away:
            raise httpx.ConnectError("away")
        return httpx.Response(200, json={"keys": [key.as_dict(private=False) for key in self.keys]})

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Good claims of a case manager; None removes one."""
        now = int(self.clock.now().timestamp())
        claims: Mapping[str, Any] = {
            "iss": ISSUER,
            "sub": "case-manager",
            "aud": ["ecm-referrals"],
            "iat": now,
            "exp": now + 300,
            "azp": "ecm-cli",
            "ecm_agency": "yot-eastvale",
            "ecm_roles": [{"yot": "eastvale", "role": "case-manager"}],
        } | changes
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, *, key: Any = None, alg: str = "ES256", kid: str = "k1", **changes: Any) -> str:
        """A token with the good claims as changed."""
        return jwt.encode({"alg": alg, "kid": kid}, self.claims(**changes), key or self.key, algorithms=[alg])
