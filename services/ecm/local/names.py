"""The parts of a region on this machine."""

from typing import Final

INFRASTRUCTURE: Final = ("postgres", "kafka", "issuer")

# The order in which `ecm up` starts them: who is asked by others comes first.
SERVICE_ORDER: Final = ("consent", "exchange", "referrals", "formulation", "monitoring")

ALL_PARTS: Final = (*INFRASTRUCTURE, *SERVICE_ORDER)
