"""Papers that become stricter, and the case that follows them."""

from hypothesis import given
from hypothesis import strategies as st

from ecm.api.common.v1.values_pb2 import FreeText, ProtectedDeclaration, ProtectedKind
from ecm.api.referrals.v1 import referrals_records_pb2 as records
from ecm.exchange.mapping.documents import shows_document
from ecm.exchange.mapping.views import USUAL_VIEWS
from ecm.referrals.model import assessment as assessments
from ecm.referrals.model import form as forms
from ecm.referrals.model.case import refer_to
from unit.referrals import builders

held = st.none() | st.sets(st.sampled_from(sorted(set(ProtectedKind.values()) - {0})))


def attached(kinds: set[int] | None) -> records.Assessment:
    made = builders.assessment()
    if kinds is not None:
        made.document.declaration.CopyFrom(ProtectedDeclaration(holds=sorted(kinds)))  # type: ignore[arg-type]
    return made


@given(held, held)
def test_whatever_takes_the_document_from_anybody_is_stricter(old: set[int] | None, new: set[int] | None) -> None:
    before, after = attached(old), attached(new)
    seen = [{view for view in USUAL_VIEWS if shows_document(one.document, view)} for one in (before, after)]
    assert assessments.is_stricter(before, after) or seen[0] <= seen[1]
    assert not assessments.is_stricter(before, before)


def test_of_the_form_its_one_free_text_decides() -> None:
    free = builders.form(reason=FreeText(text="why", declaration=ProtectedDeclaration()))
    assert forms.is_stricter(free, builders.form(reason=FreeText(text="why")))
    assert not forms.is_stricter(free, builders.form(reason=free.reason, age=15))


def test_the_case_follows_only_what_it_was_sent_with() -> None:
    case = records.Case(referral_form_id="form", assessment_id="old")
    assert refer_to(case, "old", "new") == records.Case(referral_form_id="form", assessment_id="new")
    assert refer_to(case, "form", "new") == records.Case(referral_form_id="new", assessment_id="old")
    assert refer_to(case, "other", "new") is case
