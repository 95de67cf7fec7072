"""What the profiles refuse of a partner's write is refused by the intake too, with the same element named."""

import pytest

from ecm.kit.errors import DomainError
from validator.findings import Findings
from validator.places import is_named, place

pytestmark = pytest.mark.validator

# Of another type a report is a contribution, whose own rules name another element.
ANOTHER_ROW = ("draft: type", "final: type", "amendment: type")


@pytest.fixture(scope="module")
def refusals(findings: Findings) -> dict[str, DomainError | None]:
    """What the intake says of each mutant that the profile refuses."""
    return {
        name: post.refusal(body) for name, (post, body) in findings.mutants.items() if name in findings.of("mutants")
    }


def test_nothing_is_let_through(findings: Findings, refusals: dict[str, DomainError | None]) -> None:
    print(f"{len(findings.mutants)} mutants, {len(refusals)} refused by the profiles")
    assert len(refusals) > 1000
    assert [name for name, refusal in refusals.items() if refusal is None] == []


def test_the_same_element_is_named(findings: Findings, refusals: dict[str, DomainError | None]) -> None:
    issues = findings.of("mutants")
    others = {
        name: (refusal.field, [place(issue) for issue in issues[name]])
        for name, refusal in refusals.items()
        if refusal is not None and not any(is_named(refusal.field, issue) for issue in issues[name])
    }
    assert {name: named for name, named in others.items() if not name.startswith(ANOTHER_ROW)} == {}


def test_what_is_posted_is_taken(findings: Findings) -> None:
    for name, (post, _) in findings.mutants.items():
        assert post.refusal(findings.asked["posts"][post.name].body) is None, name
