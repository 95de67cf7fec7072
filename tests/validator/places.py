"""Where the validator says that something is wrong, in the words in which the intake says it."""

import re

from validator.hapi import Issue

# What lacks or is too many stands at its parent, and is named in the message.
_COUNTED = re.compile(r"^[\w.:\[\]/-]*?\.?(\w+(?:\[x\])?)(?::\w+)?: (?:minimum required|max allowed) =")
_UNKNOWN = re.compile(r"^Unrecognized property '(\w+)'")
_TYPED = re.compile(r"\.ofType\(\w+\)")
_COMMENT = re.compile(r"/\*.*?\*/")
_CHOICE = re.compile(r"\.(value|effective)(?:[A-Z]\w*|\[x\])?(?=[.\[]|$)")
_LAST_INDEX = re.compile(r"\[\d+\]$")


def place(issue: Issue) -> str:
    """The element, as `plain` writes it."""
    location = _COMMENT.sub("", _TYPED.sub("[x]", issue.location))
    if location == "$":
        return "resourceType"
    named = _COUNTED.match(issue.message) or _UNKNOWN.match(issue.message)
    return plain(f"{location}.{named[1]}" if named else location)


def plain(path: str) -> str:
    """A path without the type of a choice, and without which of a list where it ends in one."""
    return _LAST_INDEX.sub("", _CHOICE.sub(r".\1[x]", path))


def is_named(field: str, issue: Issue) -> bool:
    """Whether a field names the element of an issue, or what is at fault inside it.

    An invariant of the whole resource stands at the resource: any element is inside.
    """
    ours, theirs = plain(field), place(issue)
    inside = ours.startswith((f"{theirs}.", f"{theirs}["))
    return ours == theirs or (inside and ("." in theirs or "#" in issue.id))
