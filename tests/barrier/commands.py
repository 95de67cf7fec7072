"""Commands of a YOT in a region under faults: each is repeated by its key until it is answered."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import grpc

from ecm.demo.yot import Yot

PASSING = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)
PATIENCE_SECONDS = 120.0


class RefusedError(Exception):
    """The service won't, for a reason of the rules: not a fault."""


class Patient:
    """Asks until there is an answer."""

    def __init__(self, yot: Yot, over: Callable[[], bool]) -> None:
        self._yot = yot
        self._over = over

    def ask(self, person: str, method: Callable[..., Any], request: Any, key: str = "") -> Any:
        """The answer. RefusedError where the rules are against it, TimeoutError where the region stays away."""
        key = key or str(uuid.uuid4())
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self._yot.call(person, method, request, key=key)
            except grpc.RpcError as error:
                if error.code() not in PASSING:
                    raise RefusedError(f"{error.code().name}: {error.details()}") from None
                if self._over() or time.monotonic() > until:
                    raise TimeoutError(f"No answer: {error.code().name}: {error.details()}") from None
                time.sleep(0.2)
            except OSError:
                # The issuer is asked for a token, too.
                time.sleep(0.2)
