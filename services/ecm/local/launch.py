"""Becomes a part's program: gives up root where asked, ties its life to the supervisor's, then execs.

Run as a file by `python -I -S`, so it imports the standard library alone and costs some 15 ms.
`setpriv` would do the same where util-linux is installed; this works everywhere.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """`launch.py PARENT SIGNAL UID GID PROGRAM ARGUMENT…`; UID -1 keeps the account."""
    parent, signum, uid, gid = (int(argument) for argument in arguments[:4])
    program = arguments[4:]
    if uid >= 0:
        drop_root(uid, gid)
    die_with(parent, signum)
    os.execv(program[0], program)  # noqa: S606 - no shell is wanted


def drop_root(uid: int, gid: int) -> None:
    """Take an unprivileged account and no other group."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with(parent: int, signum: int) -> None:
    """Get `signum` when the supervisor's main thread ends. After `drop_root`, which would clear it."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signum, 0, 0, 0)
    if os.getppid() != parent:  # it died before the line above
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
