"""Who asks: the bearer token, for the FHIR base and nothing else.

https://hl7.org/fhir/smart-app-launch/STU2/backend-services.html
"""

from starlette.requests import Request

from ecm.exchange.caller import PartnerCaller
from ecm.kit.auth.verifier import TokenVerifier
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region import Region

USER_HEADER = "x-asserted-user"
"""An end user whom the client names; audited as asserted, believed in nothing."""
LONGEST_USER = 200


async def authenticate(request: Request, verifier: TokenVerifier, region: Region) -> PartnerCaller:
    """The client; DomainError with one of the TOKEN_… reasons otherwise.

    Whether it is blocked is read by `disclose()`, under the agency's lock.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise DomainError(Reason.TOKEN_MISSING, "A bearer token is needed; .well-known/smart-configuration says where.")
    claims = await verifier.verify(token.strip())
    client = region.client(claims.azp)
    user = request.headers.get(USER_HEADER, "").strip()[:LONGEST_USER] or None
    if client is None:
        return PartnerCaller(claims.azp or claims.sub, "", frozenset(), frozenset(), user)
    return PartnerCaller(client.id, client.agency, claims.scopes, frozenset(client.scopes), user)
