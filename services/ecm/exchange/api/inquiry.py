"""What the audit notes of a request: its shape without values, and HMACs of the ids and identifiers it asks for."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from ecm.exchange.audit.fingerprints import Fingerprints
from ecm.exchange.disclosure.asks import Inquiry
from ecm.exchange.search.parameters import SERVED, Kind, find
from ecm.exchange.search.query import RESULT_PARAMETERS

MOST_FINGERPRINTS = 100
_WORDS = frozenset({*SERVED, "_search", "_history", "$everything", "events", "metadata"})
_NAMES = frozenset({*RESULT_PARAMETERS, "_cursor", "_format", "_since", "_type", "_sort", "_include", "_revinclude"})


def describe(method: str, path: Sequence[str], pairs: Sequence[tuple[str, str]], fingerprints: Fingerprints) -> Inquiry:
    """The inquiry of a request, served or not. Names that aren't R4's could hold a value: they become `?`."""
    names = sorted({_name(path, name) for name, _ in pairs}) if pairs else ()
    words = tuple(word if word in _WORDS else "[id]" for word in path)
    asked = list(_of_path(path, fingerprints))
    if pairs:
        asked = list(dict.fromkeys([*asked, *_of_pairs(path, pairs, fingerprints)]))
    return Inquiry(*_kind(method, words, tuple(names)), tuple(asked)[:MOST_FINGERPRINTS])


def names_several(path: Sequence[str], pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether one of several that are asked for by name may be found, and another not."""
    return any("," in text and _may_name_someone(path, name) for name, text in pairs)


@lru_cache(maxsize=1_024)
def _kind(method: str, words: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, str]:
    """Interaction and shape: of what the product itself names, so that there are few."""
    shape = f"{method} {'/'.join(words)}" + (f"?{'&'.join(names)}" if names else "")
    return _interaction(method, words), shape[:200]


def _interaction(method: str, path: Sequence[str]) -> str:
    if path[:1] == ("events",):
        return "event"
    if "$everything" in path:
        return "everything"
    if method == "POST" and path[-1:] == ("_search",):
        return "search"
    if method not in ("GET", "HEAD"):
        return "command"
    return "search" if len(path) == 1 else "read"


def _name(path: Sequence[str], name: str) -> str:
    code = name.partition(":")[0]
    known = bool(path) and path[0] in SERVED and find(path[0], code) is not None
    return code if known or code in _NAMES else "?"


def _of_path(path: Sequence[str], fingerprints: Fingerprints) -> Iterator[bytes]:
    yield from (fingerprints.of_id(word) for word in path[1:2] if word not in _WORDS)


def _of_pairs(path: Sequence[str], pairs: Sequence[tuple[str, str]], fingerprints: Fingerprints) -> Iterator[bytes]:
    for name, text in pairs:
        if _may_name_someone(path, name):
            for value in text.split(","):
                yield from _of_value(value, fingerprints)


def _may_name_someone(path: Sequence[str], name: str) -> bool:
    """Ids, identifiers, references, and whatever isn't served: a refusal may have named the child, too."""
    code = name.partition(":")[0]
    if code in _NAMES:
        return False
    parameter = find(path[0], code) if path and path[0] in SERVED else None
    return parameter is None or parameter.kind is Kind.REFERENCE or code in ("_id", "identifier")


def _of_value(value: str, fingerprints: Fingerprints) -> Iterator[bytes]:
    system, bar, code = value.partition("|")
    if bar:
        yield fingerprints.of_identifier(system, code)
    else:
        yield fingerprints.of_id(value.rpartition("/")[2])
        yield fingerprints.of_identifier("", value)
