"""What `consent`, who gives the exchange's lease, and the exchange, who holds it, both count with.

All in seconds of CLOCK_BOOTTIME, which no step of a wall clock moves.
"""

TRANSACTION_SECONDS = 15.0
"""The longest that a disclosure's transaction, begun under a lease, may take; past it nothing of it leaves."""
DRIFT = 1.1
"""Two machines' clocks run at speeds that differ by less."""


def renewal_seconds(lease: float) -> float:
    """The deadline of a renewal's call, for a lease of `lease` seconds."""
    return max(lease / 3, 0.2)


def certainly_over(lease: float) -> float:
    """How long after a refusal began nothing can leave any more by a lease of `lease` seconds that was given before."""
    return DRIFT * lease + TRANSACTION_SECONDS + renewal_seconds(lease)
