"""How long to wait before what has failed is tried again."""

from collections.abc import Sequence


def back_off(waits: Sequence[float], failures: int) -> float:
    """The `failures`-th of `waits`, in seconds, counted from 0; past its end the last."""
    return waits[min(failures, len(waits) - 1)]
