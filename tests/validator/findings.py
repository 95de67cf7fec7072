"""Asks the validator everything at once, and knows afterwards what it said of each."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ecm.exchange.ig import definitions, file_name
from validator import filled, known
from validator.controls import CONTROLS
from validator.corpus import Corpus
from validator.hapi import UK_CORE, Asked, Issue, errors, uk_core
from validator.mutations import mutations
from validator.posts import Post, posts, profiles_of


@dataclass(slots=True)
class Findings:
    """What was asked, by the name of a group and of its member, and what the validator calls an error."""

    asked: dict[str, dict[str, Asked]] = field(default_factory=dict)
    mutants: dict[str, tuple[Post, str]] = field(default_factory=dict)
    issues: dict[str, list[Issue]] = field(default_factory=dict)

    def of(self, group: str) -> dict[str, list[Issue]]:
        """The errors of each member that has some, the known faults left out."""
        found = {name: self._errors(one) for name, one in self.asked[group].items()}
        return {name: issues for name, issues in found.items() if issues}

    def _errors(self, one: Asked) -> list[Issue]:
        given = uk_core() is not None
        return [issue for issue in self.issues.get(one.key, []) if not known.is_fault(issue, uk_core=given)]

    def add(self, group: str, members: Iterable[tuple[str, str, tuple[str, ...]]]) -> None:
        """Asks about (name, body, profiles); the same body is validated once."""
        for name, body, profiles in members:
            key = hashlib.sha256(f"{profiles}{body}".encode()).hexdigest()
            self.asked.setdefault(group, {})[name] = Asked(key, body, profiles)

    def run(self, folder: Path) -> None:
        """One start of the validator."""
        guide = folder / "ig"
        guide.mkdir()
        for each in definitions():
            (guide / file_name(each)).write_text(json.dumps(each), encoding="utf-8")
        unique = {one.key: one for members in self.asked.values() for one in members.values()}
        self.issues = errors(list(unique.values()), [guide, *filter(None, [uk_core()])], folder)


def findings(corpus: Corpus, folder: Path) -> Findings:
    """All that this suite asks about."""
    made = Findings()
    made.add("stored", ((one.key, one.body, _profiles(one.type)) for one in corpus.stored))
    answers = {answer.body: answer.request for answer in corpus.answers}
    made.add("answers", ((f"{n} {name}", body, _of(body)) for n, (body, name) in enumerate(answers.items())))
    made.add("posted", ((f"{n}", json.dumps(one), profiles_of(one)) for n, one in enumerate(corpus.posted)))
    made.add("filled", ((name, body, _of(body)) for name, body in filled.resources()))
    made.add("definitions", ((each["url"], json.dumps(each), ()) for each in definitions()))
    made.add("posts", ((post.name, json.dumps(post.resource), post.profiles) for post in posts()))
    made.add("controls", ((name, json.dumps(body), _profiles(body["resourceType"])) for name, body in CONTROLS.items()))
    made.add("mutants", _mutants(made))
    made.run(folder)
    return made


def _mutants(made: Findings) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The same change of two posts of a row is asked about once."""
    seen = set()
    for post in posts():
        for what, body in mutations(post.resource):
            if (change := (post.profiles, post.interaction, what)) not in seen:
                seen.add(change)
                made.mutants[f"{post.name}: {what}"] = (post, body)
                yield f"{post.name}: {what}", body, post.profiles


def _of(body: str) -> tuple[str, ...]:
    return _profiles(json.loads(body)["resourceType"])


def _profiles(resource_type: str) -> tuple[str, ...]:
    """UK Core's profile of the type; the validator leaves it out where there is none."""
    return (f"{UK_CORE}{resource_type}",)
