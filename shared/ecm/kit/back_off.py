"""How long to wait before what has failed is tried again."""

from collections.abc import Sequence


def back_off(waits: Sequence[float], failures: int) -> float:
    """Seconds to wait after so many failures in a row before the last one: the last of `waits` stays."""
    return waits[min(failures, len(waits) - 1)]
