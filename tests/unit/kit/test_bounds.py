"""What no request may hold is refused at its path, however deep it stands."""

import pytest

from ecm.api.common.v1.values_pb2 import FreeText
from ecm.api.consent.v1.consent_records_pb2 import Signature, SignedInstrument
from ecm.api.consent.v1.consent_service_pb2 import GiveConsentRequest
from ecm.api.referrals.v1.referrals_records_pb2 import AdverseChildhoodExperiences, Child, ReferralForm
from ecm.api.referrals.v1.referrals_service_pb2 import RegisterChildRequest, SaveReferralFormRequest
from ecm.kit.bounds import LONGEST_TEXT, check_request
from ecm.kit.errors import DomainError, Reason


def refusal(request: object) -> tuple[Reason, str]:
    with pytest.raises(DomainError) as found:
        check_request(request)  # type: ignore[arg-type]
    assert found.value.field in found.value.message
    return found.value.reason, found.value.field


def test_an_unknown_code_is_named_by_its_path() -> None:
    form = ReferralForm(aces=AdverseChildhoodExperiences(neglect=99))  # type: ignore[arg-type]
    assert refusal(SaveReferralFormRequest(form=form)) == (Reason.INVALID_VALUE, "form.aces.neglect")
    signed = SignedInstrument(signatures=[Signature(), Signature(capacity=-1)])  # type: ignore[arg-type]
    found = refusal(GiveConsentRequest(instruments=[signed]))
    assert found == (Reason.INVALID_VALUE, "instruments[0].signatures[1].capacity")


def test_texts_end_somewhere() -> None:
    check_request(SaveReferralFormRequest(form=ReferralForm(reason=FreeText(text="x" * LONGEST_TEXT))))
    long = SaveReferralFormRequest(form=ReferralForm(reason=FreeText(text="x" * (LONGEST_TEXT + 1))))
    assert refusal(long) == (Reason.TOO_LARGE, "form.reason.text")


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f"])
def test_control_characters_are_no_text(character: str) -> None:
    child = Child(given_names=["Ann", f"B{character}"])
    assert refusal(RegisterChildRequest(child=child)) == (Reason.INVALID_VALUE, "child.given_names[1]")


def test_lines_and_other_scripts_are_text() -> None:
    check_request(RegisterChildRequest(child=Child(family_name="Llŷr\n\tÉ\u00a0漢")))
