"""Where tokens come from. https://hl7.org/fhir/smart-app-launch/STU2/conformance.html"""

import orjson

from ecm.kit.auth.scopes import SCOPES
from ecm.kit.auth.verifier import ALGORITHMS
from ecm.kit.settings import ServiceSettings


def smart_configuration(settings: ServiceSettings) -> bytes:
    """The document of `.well-known/smart-configuration`."""
    return orjson.dumps(
        {
            "issuer": settings.issuer,
            "jwks_uri": settings.jwks_url,
            "token_endpoint": settings.token_url,
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": sorted({"ES384", "RS384", *ALGORITHMS}),
            "grant_types_supported": ["client_credentials"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": list(SCOPES),
            "capabilities": ["client-confidential-asymmetric", "permission-v2"],
        }
    )
