"""Protected flags of a child's file: protecting narrows, ending a protection widens."""

from collections.abc import Iterable

from ecm.api.common.v1.values_pb2 import PROTECTED_KIND_UNSPECIFIED, ProtectedKind
from ecm.api.referrals.v1.referrals_records_pb2 import Child, ProtectedFlag
from ecm.kit.errors import DomainError, Reason
from ecm.referrals.model.refusals import invalid, missing


def check_kind(kind: "ProtectedKind.ValueType") -> None:
    """MISSING_VALUE or INVALID_VALUE for what isn't a kind that can be protected."""
    if kind == PROTECTED_KIND_UNSPECIFIED:
        raise missing("kind")
    if kind not in ProtectedKind.values():
        raise invalid("kind", "isn't a known code.")


def check_agencies(agencies: Iterable[str], known: Iterable[str], field: str) -> None:
    """INVALID_VALUE for an agency that the region file hasn't."""
    ids = frozenset(known)
    for index, agency in enumerate(agencies):
        if agency not in ids:
            raise invalid(f"{field}[{index}]", "the region has no such agency.")


def flag_of(child: Child, kind: "ProtectedKind.ValueType") -> ProtectedFlag | None:
    """The flag of that kind, where the file has one."""
    return next((flag for flag in child.protected_flags if flag.kind == kind), None)


def check_protect(child: Child, kind: "ProtectedKind.ValueType", named: Iterable[str]) -> None:
    """Whether protecting narrows at all.

    INVALID_VALUE where it would name an agency that the present flag doesn't:
    that widens. ALREADY_EXISTS where nothing would change.
    """
    held, wanted = flag_of(child, kind), set(named)
    if held is None:
        return
    if not wanted <= set(held.named_agencies):
        raise invalid("named_agencies", "names a further agency, which opens more: use UnprotectDetail.")
    if wanted == set(held.named_agencies):
        raise DomainError(Reason.ALREADY_EXISTS, "This is protected in the same way already.", field="kind")


def protect(child: Child, kind: "ProtectedKind.ValueType", named: Iterable[str]) -> Child:
    """The file with the kind protected for all but the named. Never wider than the file is now."""
    held, wanted = flag_of(child, kind), set(named)
    left = wanted if held is None else wanted & set(held.named_agencies)
    return _with_flag(child, kind, left)


def unprotect(child: Child, kind: "ProtectedKind.ValueType", further: Iterable[str]) -> Child:
    """The file with further agencies named, or without the flag where none is; INVALID_VALUE where there is no flag."""
    held, names = flag_of(child, kind), set(further)
    if held is None:
        raise invalid("kind", "isn't protected.")
    return _with_flag(child, kind, names | set(held.named_agencies) if names else None)


def _with_flag(child: Child, kind: "ProtectedKind.ValueType", named: set[str] | None) -> Child:
    fresh = Child()
    fresh.CopyFrom(child)
    others = [flag for flag in child.protected_flags if flag.kind != kind]
    ours = [] if named is None else [ProtectedFlag(kind=kind, named_agencies=sorted(named))]
    fresh.ClearField("protected_flags")
    fresh.protected_flags.extend(sorted([*others, *ours], key=lambda flag: flag.kind))
    return fresh
