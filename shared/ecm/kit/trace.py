"""W3C trace context: one id follows a command from gRPC through Kafka to the projection.

https://www.w3.org/TR/trace-context/
"""

import random
import re
from contextvars import ContextVar
from dataclasses import dataclass

# They are to differ, not to be secret; the system's random numbers cost a tenth of a read.
_ids = random.Random()  # noqa: S311
_FORM = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$")


@dataclass(frozen=True, slots=True)
class Trace:
    """One span: the command's trace id, and this span's own id."""

    trace_id: str
    span_id: str
    flags: str = "01"

    @property
    def traceparent(self) -> str:
        """The header's value, version 00."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"

    def child(self) -> "Trace":
        """A new span of the same trace."""
        return Trace(self.trace_id, f"{_ids.getrandbits(64):016x}", self.flags)


_current: ContextVar[Trace | None] = ContextVar("ecm_trace", default=None)


def new_trace() -> Trace:
    """A trace that starts here."""
    return Trace(f"{_ids.getrandbits(128):032x}", f"{_ids.getrandbits(64):016x}")


def parse_traceparent(text: str | None) -> Trace | None:
    """The trace that the header names, or None where it is absent or malformed (then one starts anew)."""
    match = _FORM.match(text or "")
    if match is None or set(match[1]) == {"0"} or set(match[2]) == {"0"}:
        return None
    return Trace(match[1], match[2], match[3])


def current_trace() -> Trace:
    """The span we are in; a new trace where we are in none."""
    return _current.get() or new_trace()


def trace_or_none() -> Trace | None:
    """The span we are in, if any; for logs."""
    return _current.get()


class with_trace:  # noqa: N801 - reads as the statement that it stands in
    """Within, we are in a child span of `traceparent`, or in a new trace."""

    __slots__ = ("_token", "_trace")

    def __init__(self, traceparent: str | None) -> None:
        parent = parse_traceparent(traceparent) if traceparent else None
        self._trace = parent.child() if parent else new_trace()

    def __enter__(self) -> Trace:
        self._token = _current.set(self._trace)
        return self._trace

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
