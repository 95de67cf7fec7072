"""A small OpenID Connect issuer for one machine: what Keycloak is in a deployment.

Systems and services: `client_credentials` with `private_key_jwt`
(https://hl7.org/fhir/smart-app-launch/STU2/backend-services.html).
People: RFC 7523's `jwt-bearer` grant, with an assertion that only the holder of a key in the state directory
can sign; so nobody becomes a person over the network.
"""
