"""When a label is stricter than the one before."""

from hypothesis import given
from hypothesis import strategies as st

from ecm.api.common.v1.values_pb2 import Document, FreeText, ProtectedDeclaration, ProtectedKind
from ecm.kit.declarations import any_stricter, held_by, is_stricter

KINDS = sorted(set(ProtectedKind.values()) - {0})
declarations = st.none() | st.sets(st.sampled_from(KINDS)).map(lambda kinds: ProtectedDeclaration(holds=sorted(kinds)))
texts = st.builds(lambda text, held: FreeText(text=text, declaration=held), st.sampled_from("ab"), declarations)


@given(texts, texts)
def test_stricter_is_what_holds_another_kind_and_undeclared_holds_all(old: FreeText, new: FreeText) -> None:
    assert is_stricter(old, new) == any(kind in held_by(new) and kind not in held_by(old) for kind in KINDS)
    assert not is_stricter(FreeText(text="undeclared"), new)
    assert is_stricter(old, FreeText(text="undeclared")) == (held_by(old) != set(KINDS))


@given(texts, texts, texts)
def test_no_way_of_small_steps_leads_to_a_stricter_label(one: FreeText, two: FreeText, three: FreeText) -> None:
    assert is_stricter(one, two) or is_stricter(two, three) or not is_stricter(one, three)


@given(st.lists(texts, max_size=4), st.randoms())
def test_of_many_only_the_same_words_are_compared_in_any_order(old: list[FreeText], random: object) -> None:
    shuffled = sorted(old, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert any_stricter(old, shuffled) == any(
        is_stricter(one, other) for one in old for other in old if one.text == other.text
    )


def test_what_says_nothing_has_no_label() -> None:
    free = FreeText(text="words", declaration=ProtectedDeclaration())
    assert not is_stricter(FreeText(declaration=ProtectedDeclaration()), FreeText(text="words"))
    assert not is_stricter(free, FreeText())
    assert is_stricter(Document(content=b"x", declaration=ProtectedDeclaration()), Document(content=b"y"))
