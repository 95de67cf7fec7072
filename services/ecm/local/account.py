"""The unprivileged account under which PostgreSQL runs where `ecm` was started by root."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from ecm.admin.errors import OperatorError

# The account with the least rights comes first; all of them have a passwd entry on any usual Linux.
CANDIDATES = ("nobody", "daemon", "bin")


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a process runs as."""

    uid: int
    gid: int


def unprivileged(owned: Path) -> Account | None:
    """Whom PostgreSQL runs as, None for "as ourselves".

    `owned` is PostgreSQL's folder: where it exists its owner stays, so that a state never changes hands.
    Raises `OperatorError` where root finds no account (PostgreSQL refuses root, and a uid without a passwd
    entry fails in initdb).
    """
    if os.geteuid() != 0:
        _require_entry(os.geteuid())
        return None
    if owned.exists() and (uid := owned.stat().st_uid) != 0:
        return Account(uid, _require_entry(uid).pw_gid)
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise OperatorError(
        "PostgreSQL doesn't run as root, and this machine has no unprivileged account to run it as.",
        f"Add one of {', '.join(CANDIDATES)} to /etc/passwd, or run ecm as an ordinary user.",
    )


def _require_entry(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise OperatorError(
            f"The user id {uid} has no entry in /etc/passwd, and PostgreSQL's initdb needs one.",
            f"Add a line like 'ecm:x:{uid}:{uid}::/tmp:/bin/sh' to /etc/passwd, or run as a user who has one.",
        ) from None
