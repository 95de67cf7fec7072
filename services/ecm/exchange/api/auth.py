"""Who asks: the bearer token, for the FHIR base and nothing else.

https://hl7.org/fhir/smart-app-launch/STU2/backend-services.html
"""

from dataclasses import replace
from http import HTTPStatus

from starlette.requests import Request
from starlette.types import Scope

from ecm.exchange.api.limits import Limits
from ecm.exchange.disclosure.caller import PartnerCaller
from ecm.kit.auth.claims import Claims
from ecm.kit.auth.verifier import TokenVerifier
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region import Region

USER_HEADER = "x-asserted-user"
"""An end user whom the client names; audited as asserted, believed in nothing."""
LONGEST_USER = 200
MOST_KNOWN = 1_024


def address_of(scope: Scope) -> str:
    """The network address that asks; "" where it isn't known."""
    client = scope.get("client")
    return str(client[0]) if client else ""


class Authentication:
    """Says which client a request is of."""

    def __init__(self, verifier: TokenVerifier, region: Region, limits: Limits) -> None:
        self._verifier = verifier
        self._region = region
        self._limits = limits
        # By what of the claims makes a caller: partners ask often, and differ little.
        self._known: dict[tuple[str, str, str], PartnerCaller] = {}

    async def caller(self, request: Request) -> PartnerCaller:
        """The client; DomainError with one of the TOKEN_… reasons otherwise.

        Whether it is blocked is read by `disclose()`, under the agency's lock.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            await self._limits.pace(address_of(request.scope))
            raise DomainError(
                Reason.TOKEN_MISSING, "A bearer token is needed; .well-known/smart-configuration says where."
            )
        claims = await self._claims(token.strip(), request)
        found = self._known.get((claims.azp, claims.sub, claims.scope)) or self._remember(claims)
        user = request.headers.get(USER_HEADER, "").strip()[:LONGEST_USER]
        return replace(found, user=user) if user else found

    async def _claims(self, token: str, request: Request) -> Claims:
        """Checking a signature costs more than asking: who sends bad ones is held back, who is known never."""
        address = address_of(request.scope)
        if self._limits.tries_too_many(address) and not self._verifier.knows(token):
            raise await self._limits.turned_away()
        try:
            return await self._verifier.verify(token)
        except DomainError as error:
            if error.entry.http_status == HTTPStatus.UNAUTHORIZED:
                await self._limits.refused(address)
            raise

    def _remember(self, claims: Claims) -> PartnerCaller:
        client = self._region.client(claims.azp)
        if client is None:
            made = PartnerCaller(claims.azp or claims.sub, "", frozenset(), frozenset())
        else:
            made = PartnerCaller(client.id, client.agency, claims.scopes, frozenset(client.scopes))
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[claims.azp, claims.sub, claims.scope] = made
        return made
