"""Protected flags: protecting only ever narrows, unprotecting only ever widens."""

from hypothesis import given
from hypothesis import strategies as st

from ecm.api.common.v1.values_pb2 import PROTECTED_KIND_ADDRESS as ADDRESS
from ecm.api.common.v1.values_pb2 import PROTECTED_KIND_SCHOOL as SCHOOL
from ecm.api.referrals.v1.referrals_records_pb2 import Child, ProtectedFlag
from ecm.kit.errors import Reason
from ecm.referrals.model.protection import check_agencies, check_kind, check_protect, flag_of, protect, unprotect
from unit.referrals.builders import child, refused

AGENCIES = frozenset({"nhs-psychology", "la-eastvale", "custody-northgate"})
agencies = st.frozensets(st.sampled_from(sorted(AGENCIES)))


def flagged(*named: str) -> Child:
    return child(protected_flags=[ProtectedFlag(kind=ADDRESS, named_agencies=named)])


def sees(file: Child) -> frozenset[str]:
    flag = flag_of(file, ADDRESS)
    return AGENCIES if flag is None else frozenset(flag.named_agencies)


def test_a_first_flag_names_who_may_see_it() -> None:
    file = protect(protect(child(), SCHOOL, []), ADDRESS, ["nhs-psychology"])
    assert [flag.kind for flag in file.protected_flags] == [ADDRESS, SCHOOL]
    assert sees(file) == {"nhs-psychology"}


def test_protecting_cannot_name_a_further_agency() -> None:
    with refused(Reason.INVALID_VALUE, "named_agencies"):
        check_protect(flagged("nhs-psychology"), ADDRESS, ["la-eastvale"])


def test_protecting_twice_alike_is_said() -> None:
    with refused(Reason.ALREADY_EXISTS, "kind"):
        check_protect(flagged("nhs-psychology"), ADDRESS, ["nhs-psychology"])


def test_kinds_and_agencies_are_known() -> None:
    with refused(Reason.MISSING_VALUE, "kind"):
        check_kind(0)
    with refused(Reason.INVALID_VALUE, "kind"):
        check_kind(99)  # type: ignore[arg-type]
    with refused(Reason.INVALID_VALUE, "named_agencies[1]"):
        check_agencies(["la-eastvale", "nobody"], AGENCIES, "named_agencies")


def test_ending_a_protection_that_is_not_there_is_refused() -> None:
    with refused(Reason.INVALID_VALUE, "kind"):
        unprotect(child(), ADDRESS, [])


@given(st.none() | agencies, agencies)
def test_protect_never_widens_and_unprotect_never_narrows(held: frozenset[str] | None, named: frozenset[str]) -> None:
    file = child() if held is None else flagged(*held)
    narrower = protect(file, ADDRESS, named)
    assert sees(narrower) == sees(file) & named
    wider = unprotect(narrower, ADDRESS, named)
    assert sees(wider) >= sees(narrower)
