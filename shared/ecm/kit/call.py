"""The call that is being answered, for whoever works inside it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from ecm.kit.auth.policy import Rule
from ecm.kit.auth.principal import Principal


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls what, until when. `deadline` is on `time.monotonic`; `method` is `/package.Service/Method`."""

    method: str
    principal: Principal
    rule: Rule
    deadline: float
    idempotency_key: str = ""

    def remaining(self) -> float:
        """Seconds until the deadline; 0 once it has passed."""
        return max(self.deadline - time.monotonic(), 0.0)


_current: ContextVar[Call | None] = ContextVar("ecm_call", default=None)


def current_call() -> Call:
    """The call being answered; LookupError outside of one."""
    call = _current.get()
    if call is None:
        raise LookupError("No call is being answered here.")
    return call


def call_or_none() -> Call | None:
    """The call being answered, if any."""
    return _current.get()


@contextmanager
def answering(call: Call) -> Iterator[Call]:
    """Within, `current_call()` is this call."""
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)
