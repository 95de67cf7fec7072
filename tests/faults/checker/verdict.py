"""What a check says: what it looked at, and what it found."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from faults.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that isn't as it must be."""

    rule: str
    words: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.words}"


@dataclass
class Verdict:
    """All checks' together."""

    looked_at: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def expect(self, condition: object, rule: str, words: str) -> None:
        """Notes a finding where the condition doesn't hold."""
        if not condition:
            self.findings.append(Finding(rule, words))


Check = Callable[[Evidence, Verdict], None]
