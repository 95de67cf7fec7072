"""Small files, small functions."""

from pathlib import Path
from statistics import median, quantiles

import pytest

from architecture.source import functions, length, modules, shown

LONGEST_FILE = 400
MEDIAN_FUNCTION = 10
NINE_IN_TEN = 45
SAMPLE = '''
@decorated
async def two():
    """Says so."""


class Holder:
    def three(self):
        def one(): ...
        return one
'''


@pytest.mark.parametrize("path", modules(), ids=shown)
def test_no_file_is_long(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


def test_functions_are_short() -> None:
    lengths = [length(function) for path in modules() for function in functions(path.read_text())]
    assert len(lengths) > 1_000
    assert median(lengths) <= MEDIAN_FUNCTION
    assert quantiles(lengths, n=10)[-1] <= NINE_IN_TEN


def test_lengths_are_counted_as_said() -> None:
    assert {function.name: length(function) for function in functions(SAMPLE)} == {"two": 2, "three": 3, "one": 1}
