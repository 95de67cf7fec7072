"""Proposed sharing agreements of a region file: coded data that opens nothing by itself."""

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from ecm.kit.region_parts import Id, Part, Purpose

Category = Literal[
    "invitation",
    "referral",
    "formulation",
    "report",
    "health",
    "social-care",
    "education",
    "offending",
    "family",
    "family-sensitive",
]


class AgreementLine(Part):
    """One category that the agreement shares, and on what condition."""

    category: Category
    needs_consent: bool
    needs_circulation: bool
    third_party_basis: Id | None = None

    @model_validator(mode="after")
    def _third_parties(self) -> "AgreementLine":
        if self.category == "family-sensitive" and not (self.third_party_basis and self.needs_consent):
            raise ValueError("family-sensitive needs a third_party_basis and needs_consent: true")
        return self


class Agreement(Part):
    """Who may receive what, for which purposes, from when, and on which legal bases."""

    id: Id
    recipient: Id
    purposes: list[Purpose] = Field(min_length=1)
    valid_from: date
    valid_until: date | None = None
    article6: Id
    article9: Id
    criminal_offence_basis: Id
    statutory_power: Id
    confidentiality_basis: Id
    impact_assessment: str = Field(min_length=1)
    review_by: date
    lines: list[AgreementLine] = Field(min_length=1)

    @model_validator(mode="after")
    def _sensible(self) -> "Agreement":
        categories = [line.category for line in self.lines]
        if len(set(categories)) < len(categories):
            raise ValueError(f"agreement {self.id!r} has two lines of one category")
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise ValueError(f"agreement {self.id!r} ends before it begins")
        return self
