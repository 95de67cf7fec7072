"""Codes of the world outside that stand in records."""

import re

from ecm.referrals.model.refusals import invalid

# https://www.datadictionary.nhs.uk/data_elements/ethnic_category.html
ETHNIC_CATEGORIES = frozenset([*"ABCDEFGHJKLMNPRSZ", "99"])
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_URN = re.compile(r"[0-9]{5,7}")


def check_ethnic_category(code: str, field: str) -> None:
    """INVALID_VALUE for what isn't a code of the NHS data dictionary; empty is unanswered (checklist 36)."""
    if code and code not in ETHNIC_CATEGORIES:
        raise invalid(field, "isn't an ethnic category of the NHS data dictionary, e.g. A.")


def check_language(tag: str, field: str) -> None:
    """INVALID_VALUE for what isn't a BCP 47 tag; empty is unanswered."""
    if tag and not _LANGUAGE.fullmatch(tag):
        raise invalid(field, "isn't a BCP 47 language tag, e.g. en or cy.")


def check_urn(urn: str, field: str) -> None:
    """INVALID_VALUE for what isn't a school's unique reference number; empty is unknown."""
    if urn and not _URN.fullmatch(urn):
        raise invalid(field, "isn't a school's unique reference number (5 to 7 digits).")
