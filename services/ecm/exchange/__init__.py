"""The exchange: the FHIR R4 API, grants as enforced, the audit of disclosures, partners' event streams."""
