"""Where tokens come from. https://hl7.org/fhir/smart-app-launch/STU2/conformance.html"""

import orjson

from ecm.exchange.settings import ExchangeSettings
from ecm.kit.auth.verifier import ALGORITHMS
from ecm.kit.scopes import SCOPES


def smart_configuration(settings: ExchangeSettings) -> bytes:
    """The document of `.well-known/smart-configuration`."""
    return orjson.dumps(
        {
            "issuer": settings.issuer,
            "jwks_uri": settings.public_jwks_url or settings.jwks_url,
            "token_endpoint": settings.public_token_url or settings.token_url,
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": sorted({"ES384", "RS384", *ALGORITHMS}),
            "grant_types_supported": ["client_credentials"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": list(SCOPES),
            "capabilities": ["client-confidential-asymmetric", "permission-v2"],
        }
    )
