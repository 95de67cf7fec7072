"""FHIR R4 over HTTP: one file per interaction, headed by the specification's address."""
