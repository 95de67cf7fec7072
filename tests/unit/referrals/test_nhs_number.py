"""NHS numbers: ten digits with a modulus-11 check digit, as strictly as the region says (checklist 44)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecm.kit.errors import Reason
from ecm.referrals.model.nhs_number import check_digit_fits, check_nhs_number
from unit.referrals.builders import refused

# 943 476 5919 is the NHS data dictionary's own example; 999… numbers are for tests.
GOOD = ("9434765919", "9990000018", "9990000026")


@pytest.mark.parametrize("number", GOOD)
def test_a_right_number_passes(number: str) -> None:
    assert check_nhs_number(number, "nhs_number", "strict")


@pytest.mark.parametrize("number", GOOD)
def test_every_other_check_digit_is_refused(number: str) -> None:
    for digit in set("0123456789") - {number[9]}:
        with refused(Reason.NHS_NUMBER_INVALID, "nhs_number") as refusal:
            check_nhs_number(number[:9] + digit, "nhs_number", "strict")
        assert number[:9] not in refusal.message


@pytest.mark.parametrize("number", ["943 476 5919", "94347659", "94347659199", "943476591X", "٩٤٣٤٧٦٥٩١٩", ""])
@pytest.mark.parametrize("strictness", ["strict", "warn", "off"])
def test_what_is_not_ten_digits_is_refused_everywhere(number: str, strictness: str) -> None:
    with refused(Reason.INVALID_VALUE, "nhs_number"):
        check_nhs_number(number, "nhs_number", strictness)  # type: ignore[arg-type]


@pytest.mark.parametrize("strictness", ["warn", "off"])
def test_a_region_may_let_a_wrong_check_digit_pass(strictness: str) -> None:
    assert check_nhs_number("9434765918", "nhs_number", strictness) is False  # type: ignore[arg-type]


@given(st.integers(0, 10**9 - 1), st.integers(0, 8), st.integers(1, 9))
def test_one_mistyped_digit_never_passes(stem: int, place: int, by: int) -> None:
    nine = f"{stem:09d}"
    fitting = [digit for digit in "0123456789" if check_digit_fits(nine + digit)]
    assert len(fitting) <= 1
    wrong = nine[:place] + str((int(nine[place]) + by) % 10) + nine[place + 1 :]
    assert all(not check_digit_fits(wrong + digit) for digit in fitting)
