"""What an attacker sends: good input changed in one place or many, and bytes that were never good."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

CANARY = "Zebedee"
"""Stands for a person's detail: no refusal may repeat it."""

# Texts that have undone parsers before.
TEXTS: tuple[str, ...] = (
    *("", " ", "\x00", "a\x00b", "\n", "\r\nX: y", "\ud7ff\ue000", "\u202e", "٣", "９", "ß", "é", "\ufeff", "\x7f"),
    *("null", "true", "NaN", "-0", "1e999999999", "9" * 400, "-1", "0x10", "1_000", "00", "0.1e", "+1", "*", "*/*"),
    *("'", '"', "\\", "' OR 1=1 --", "$$; DROP TABLE audit; $$", "${jndi:ldap://x}", "{{7*7}}", "%00", "%s%n", "../x"),
    *("<script>", "<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>", "a|b|c", "|", "||", ",", ",,", "\\,", "$"),
    *(
        "Patient/",
        "Patient/1",
        "/",
        "//",
        "http://",
        "https://x/Patient/1",
        "urn:uuid:",
        "#a",
        "Patient?x=y",
        "Group/1",
    ),
    *("2026", "2026-02-30", "2026-13", "0000", "9999-12-31T23:59:59.999999999Z", "0001-01-01T00:00:00+14:00", "T"),
    *("2026-01-01T24:00:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00+99:99", "ap2026", "20260101", "1/1/2026"),
    *("a" * 5_000, CANARY, 'W/"x"', "final", "system/*.rs", "00000000-0000-0000-0000-000000000000"),
)
NUMBERS: tuple[Any, ...] = (
    0,
    -1,
    1,
    2**31,
    2**63,
    -(2**63),
    2**64,
    10**39,
    0.1,
    -0.0,
    1e300,
    1e-300,
    True,
    False,
    None,
)
NAMES = (
    "extension",
    "modifierExtension",
    "_status",
    "resourceType",
    "id",
    "meta",
    "contained",
    "coding",
    "__proto__",
    "",
)


def text(random: Random) -> str:
    """A text of the list, or of some characters from all over Unicode."""
    if random.random() < 0.7:
        return random.choice(TEXTS)
    return "".join(
        chr(random.choice((random.randrange(128), random.randrange(0xD7FF)))) for _ in range(random.randrange(12))
    )


def value(random: Random, depth: int = 0) -> Any:
    """A JSON value."""
    kind = random.randrange(6 if depth < 3 else 3)
    match kind:
        case 0:
            return text(random)
        case 1:
            return random.choice(NUMBERS)
        case 2:
            return CANARY
        case 3:
            return [value(random, depth + 1) for _ in range(random.randrange(4))]
        case _:
            return {random.choice(NAMES): value(random, depth + 1) for _ in range(random.randrange(3))}


def bent(random: Random, good: Any) -> Any:
    """A JSON value changed in one place: another value, one more element, one less, one twice, wrapped."""
    if random.random() < 0.08 or not isinstance(good, dict | list) or not good:
        return _bent_here(random, good)
    if isinstance(good, list):
        place = random.randrange(len(good))
        return [bent(random, each) if n == place else each for n, each in enumerate(good)]
    name = random.choice(list(good))
    return good | {name: bent(random, good[name])}


def _bent_here(random: Random, good: Any) -> Any:
    if isinstance(good, str) and random.random() < 0.6:
        return text(random) or "x"
    ways: list[Callable[[], Any]] = [lambda: value(random), lambda: [good], lambda: {"value": good}]
    if isinstance(good, dict):
        ways += [
            lambda: good | {random.choice(NAMES): value(random)},
            # Names are told: that is how a fault is found.
            lambda: good | {text(random).replace(CANARY, "x"): value(random)},
            lambda: {name: each for name, each in good.items() if name != random.choice(list(good) or [""])},
        ]
    if isinstance(good, list):
        ways += [lambda: good * 2, lambda: good[:-1], lambda: [*good, value(random)], lambda: good * 40]
    return random.choice(ways)()


def broken(random: Random, good: bytes) -> bytes:
    """Bytes changed in some places: flipped, cut, doubled, put in."""
    data = bytearray(good)
    for _ in range(random.randrange(1, 5)):
        place = random.randrange(len(data) + 1)
        match random.randrange(5):
            case 0 if data:
                data[place % len(data)] = random.randrange(256)
            case 1:
                del data[place : place + random.randrange(1, 20)]
            case 2:
                data[place:place] = data[place : place + random.randrange(1, 60)] * random.randrange(1, 4)
            case 3:
                data[place:place] = random.choice(TEXTS).replace(CANARY, "x").encode("utf-8", "surrogatepass")
            case _:
                data[place:place] = random.randbytes(random.randrange(1, 6))
    return bytes(data)


def hostile_json(random: Random, good: Any) -> bytes:
    """A resource's bytes: bent once or several times, and every sixth time broken too."""
    for _ in range(random.choice((1, 1, 1, 1, 2, 4))):
        good = bent(random, good)
    data = json.dumps(good, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
    return broken(random, data) if random.randrange(6) == 0 else data
