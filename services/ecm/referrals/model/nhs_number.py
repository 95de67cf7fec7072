"""NHS numbers (checklist 44): ten digits, the last a modulus-11 check digit.

https://www.datadictionary.nhs.uk/attributes/nhs_number.html
"""

from typing import Literal

from ecm.kit.errors import DomainError, Reason
from ecm.referrals.model.refusals import invalid

LENGTH = 10
Strictness = Literal["strict", "warn", "off"]


def check_digit_fits(number: str) -> bool:
    """Whether the tenth digit is that of the first nine; no check digit fits where the remainder asks for 10."""
    weighted = sum(int(digit) * weight for digit, weight in zip(number[:9], range(LENGTH, 1, -1), strict=True))
    return (11 - weighted % 11) % 11 == int(number[9])


def check_nhs_number(number: str, field: str, strictness: Strictness) -> bool:
    """Whether the check digit fits, where the region lets a wrong one pass ("warn", "off").

    INVALID_VALUE unless it is ten ASCII digits; NHS_NUMBER_INVALID for a wrong check digit under "strict".
    """
    if not (len(number) == LENGTH and number.isascii() and number.isdigit()):
        raise invalid(field, "an NHS number is ten digits without blanks.")
    fits = check_digit_fits(number)
    if not fits and strictness == "strict":
        message = f"{field}: the check digit of the NHS number is wrong; look for a mistyped digit."
        raise DomainError(Reason.NHS_NUMBER_INVALID, message, field=field)
    return fits
