"""Large documents are gone through in pieces: what the pieces give is what the whole would."""

import base64
import binascii
import os

import pytest

from ecm.exchange.intake.documents import PIECE as CHARACTERS
from ecm.exchange.intake.documents import _decoded
from ecm.exchange.mapping.elements import PIECE as BYTES
from ecm.exchange.mapping.elements import encoded

SIZES = [0, 1, 2, 3, BYTES - 1, BYTES, BYTES + 1, 2 * BYTES + 2, 5 * BYTES]


@pytest.mark.parametrize("size", SIZES)
def test_there_and_back(size: int) -> None:
    content = os.urandom(size)
    written = encoded(content)
    assert written == base64.b64encode(content).decode()
    assert _decoded(written) == content


@pytest.mark.parametrize(
    "wrong",
    [
        "A" * (CHARACTERS - 4) + "AAA=" + "AAAA",
        "A" * (CHARACTERS - 4) + "AA==" + "AAAA",
        "A" * CHARACTERS + "=AAA",
        "A" * CHARACTERS + "A",
        "A" * CHARACTERS + "AA\n",
        "A" * (CHARACTERS - 1) + "!" + "AAAA",
        "A" * CHARACTERS + "\u00e9AAA",
    ],
)
def test_what_is_wrong_of_the_whole_is_wrong_in_pieces(wrong: str) -> None:
    with pytest.raises((binascii.Error, ValueError)):
        base64.b64decode(wrong, validate=True)
    with pytest.raises((binascii.Error, ValueError)):
        _decoded(wrong)
