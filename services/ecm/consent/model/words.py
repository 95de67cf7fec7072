"""Codes in plain words, for reasons and explanations."""

from typing import TypeAlias

from ecm.api.common.v1 import values_pb2
from ecm.api.consent.v1 import consent_records_pb2 as records

CategoryCode: TypeAlias = values_pb2.Category.ValueType
ViewCode: TypeAlias = values_pb2.View.ValueType
ProtectedCode: TypeAlias = values_pb2.ProtectedKind.ValueType
StateCode: TypeAlias = records.ConsentState.ValueType

CATEGORIES: tuple[CategoryCode, ...] = tuple(values_pb2.Category.values())[1:]


def category_word(code: CategoryCode) -> str:
    """The category as the region file writes it, e.g. family-sensitive."""
    return values_pb2.Category.Name(code).removeprefix("CATEGORY_").lower().replace("_", "-")


def protected_word(code: ProtectedCode) -> str:
    """The protected kind in words, e.g. adoption identity."""
    return values_pb2.ProtectedKind.Name(code).removeprefix("PROTECTED_KIND_").lower().replace("_", " ")


def state_word(code: StateCode) -> str:
    """The state in words, e.g. not sought."""
    return records.ConsentState.Name(code).removeprefix("CONSENT_STATE_").lower().replace("_", " ")


def signatory_word(code: records.SignatoryCapacity.ValueType) -> str:
    """Who signs, refuses or withdraws."""
    return {
        records.SIGNATORY_CAPACITY_CHILD: "the child",
        records.SIGNATORY_CAPACITY_PARENTAL_RESPONSIBILITY: "a holder of parental responsibility",
        records.SIGNATORY_CAPACITY_CARER: "a carer",
    }.get(code, "somebody")
