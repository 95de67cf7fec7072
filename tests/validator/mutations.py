"""What partners might post wrongly: small changes of what the demo posts, each at one place."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from ecm.exchange.intake.shape import MODELS

Json = dict[str, Any]
Path = tuple[str | int, ...]

# Read as what they say by whoever knows the element: another text there is another fault.
_MEANT = frozenset(
    {"status", "intent", "docStatus", "participantStatus", "code", "system", "contentType", "language", "reference"}
    | {"data", "date", "effectiveDateTime", "url", "valueCode", "size", "hash", "id", "type"}
)
_WRONG_TEXTS = ("bogus", "not right!", " ", "")
_ADDED: Json = {
    "foo": 1,
    "meta": {"lastUpdated": "yesterday"},
    "language": "no language",
    "text": {"status": "generated"},
    "contained": [{"resourceType": "Patient", "id": "p"}],
    "implicitRules": "https://rules.invalid",
    "modifierExtension": [{"url": "https://x.invalid", "valueBoolean": True}],
    "extension": [{"url": "https://x.invalid", "valueBoolean": True}],
}
_INSIDE: Json = {"foo": 1, "extension": [{"url": "https://x.invalid", "valueBoolean": True}], "id": "no id!"}


def mutations(resource: Json) -> Iterator[tuple[str, str]]:
    """(what was changed, the body) of each."""
    for name, value in _additions(resource).items():
        yield f"with {name}", json.dumps(resource | {name: value})
    for path in _paths(resource):
        for what, value in _others(path, _at(resource, path)):
            yield f"{_written(path)} {what}", json.dumps(_with(resource, path, value))
        if path and isinstance(_at(resource, path), dict):
            for name, value in _INSIDE.items():
                yield f"{_written(path)} with {name}", json.dumps(_with(resource, (*path, name), value))
        if path and isinstance(path[-1], str):
            yield f"{_written(path)} left out", json.dumps(_without(resource, path))


def _additions(resource: Json) -> Json:
    """Each element of the type that isn't there, as a list of an object: what most of them are."""
    known = MODELS[resource["resourceType"]].elements_sequence()
    return {name: [{"text": "x"}] for name in known if name not in resource} | {
        name: value for name, value in _ADDED.items() if name not in resource
    }


def _others(path: Path, value: Any) -> Iterator[tuple[str, Any]]:
    if not path or path == ("resourceType",):
        return
    if isinstance(value, dict):
        yield from (("as text", "text"), ("as a list", [value]), ("emptied", {}))
    elif isinstance(value, list):
        yield from (("as its first", value[0]), ("emptied", []), ("doubled", value * 2), ("as a number", 7))
    else:
        yield from (("null", None), ("as a list", [value]), ("as an object", {"a": "b"}))
        yield from (("as a number", 7) if isinstance(value, str) else ("as text", str(value)),)
        yield from (("true", True), ("negative", -1), ("very long", 10**12)) if not isinstance(value, str) else ()
        if isinstance(value, str) and path[-1] in _MEANT:
            yield from ((f"as {text!r}", text) for text in _WRONG_TEXTS)


def _paths(value: Any, above: Path = ()) -> Iterator[Path]:
    yield above
    # Of a list the first: what is wrong with one is wrong with each.
    inside = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for name, inner in inside:
        yield from _paths(inner, (*above, name))


def _at(value: Any, path: Path) -> Any:
    for name in path:
        value = value[name]
    return value


def _with(resource: Json, path: Path, value: Any) -> Json:
    changed = copy.deepcopy(resource)
    _at(changed, path[:-1])[path[-1]] = value
    return changed


def _without(resource: Json, path: Path) -> Json:
    changed = copy.deepcopy(resource)
    del _at(changed, path[:-1])[path[-1]]
    return changed


def _written(path: Path) -> str:
    return "".join(f"[{name}]" if isinstance(name, int) else f".{name}" for name in path).removeprefix(".")
