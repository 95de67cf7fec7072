"""The claims of an access token, with their published schema."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator


class YotRole(BaseModel):
    """One role of a person in one youth offending team."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    yot: str
    role: str


class Claims(BaseModel):
    """What a verified token says. Unknown claims are ignored: issuers add their own."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    iss: str
    sub: str = Field(min_length=1, description="The person, or the service account.")
    aud: list[str] = Field(min_length=1)
    exp: int = Field(description="Seconds since 1970, UTC; an hour after `iat` at most.")
    iat: int = Field(description="Seconds since 1970, UTC.")
    nbf: int = Field(default=0, description="Not valid before; seconds since 1970, UTC.")
    azp: str = Field(default="", description="The client that the token was issued to.")
    scope: str = Field(default="", description="Scopes, separated by blanks.")
    ecm_agency: str = Field(default="", description="The person's agency, an id of the region file.")
    ecm_roles: list[YotRole] = Field(default=[], description="A person's roles, each in one YOT.")
    ecm_registration: str = Field(default="", description="Professional registration, `system|number`.")

    @field_validator("aud", mode="before")
    @classmethod
    def _as_list(cls, value: object) -> object:
        # RFC 7519 §4.1.3: a single audience may be a plain string.
        return [value] if isinstance(value, str) else value

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes as a set."""
        return frozenset(self.scope.split())


def claims_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) published as deploy/regions/claims.schema.json: for every issuer."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://ecm-exchange.example/claims/v1"}
    return head | Claims.model_json_schema()


if __name__ == "__main__":
    import json
    import sys

    sys.stdout.write(json.dumps(claims_schema(), indent=2, ensure_ascii=False) + "\n")
