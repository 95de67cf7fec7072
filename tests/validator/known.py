"""Where the validator is at fault, or can't know: each with its reason. Whatever else it calls an error is one."""

import re
from dataclasses import dataclass

from validator.hapi import Issue


@dataclass(frozen=True, slots=True)
class Fault:
    """An issue that isn't one: by the validator's own id, its place and its words."""

    id: str
    location: str
    message: str
    reason: str

    def explains(self, issue: Issue) -> bool:
        """Whether the issue is this fault."""
        matches = re.search(self.location, issue.location) and re.search(self.message, issue.message)
        return issue.id == self.id and bool(matches)


KNOWN = (
    Fault(
        "ERROR_GENERATING_SNAPSHOT",
        r"^StructureDefinition$",
        r"Unable to resolve package id hl7\.fhir\.r4\.core#null",
        "To check an extension's definition it asks a package cache for R4 itself, without a version. The snapshot is "
        "made all the same where a resource has the extension, and `filled` has each of them.",
    ),
)
_UK = "https://fhir.hl7.org.uk/"


def is_fault(issue: Issue, *, uk_core: bool) -> bool:
    """Whether an issue is none: a known fault, or about UK Core where its definitions aren't given."""
    return any(fault.explains(issue) for fault in KNOWN) or (not uk_core and _UK in issue.message)
