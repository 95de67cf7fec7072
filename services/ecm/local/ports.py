"""Ports of one state: chosen once, remembered, and checked before anything starts."""

import random
import socket
from collections.abc import Iterable, Mapping

from ecm.admin.errors import OperatorError
from ecm.kit.names import SERVICES

HTTP = "http"
DEFAULT_HTTP_PORT = 8080

# What each part listens on. `http` is the exchange's FHIR address.
PORT_NAMES: dict[str, tuple[str, ...]] = {
    "postgres": ("postgres",),
    "kafka": ("kafka", "kafka-controller"),
    "issuer": ("issuer",),
    **{service: (service, f"{service}-metrics") for service in SERVICES},
}
PORT_NAMES["exchange"] = (*PORT_NAMES["exchange"], HTTP)
ALL_PORTS = tuple(name for names in PORT_NAMES.values() for name in names)

# Below the usual ephemeral range, so that no outgoing connection takes a port while its part is down.
LOWEST, HIGHEST = 20_000, 31_999


def choose(remembered: Mapping[str, int]) -> dict[str, int]:
    """A port for every name: those remembered stay, the others are free ones."""
    chosen = dict(remembered)
    for name in ALL_PORTS:
        if name not in chosen:
            chosen[name] = _free(set(chosen.values()))
    return chosen


def free_ports(count: int) -> list[int]:
    """Ports that are free now, each another one."""
    chosen: set[int] = set()
    while len(chosen) < count:
        chosen.add(_free(chosen))
    return sorted(chosen)


def _free(taken: set[int]) -> int:
    for _ in range(1000):
        port = random.randint(LOWEST, HIGHEST)  # noqa: S311 - no secret
        if port not in taken and is_free(port):
            return port
    raise OperatorError(f"No free port was found between {LOWEST} and {HIGHEST}.", "Stop something that listens there.")


def is_free(port: int) -> bool:
    """Whether the loopback port can be listened on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def require_free(ports: Mapping[str, int], parts: Iterable[str]) -> None:
    """Raise `OperatorError` for the first port of these parts that something else holds."""
    for part in parts:
        for name in PORT_NAMES[part]:
            if not is_free(ports[name]):
                raise OperatorError(_taken(part, ports[name]), _remedy(name))


def _taken(part: str, port: int) -> str:
    return f"Port {port} (127.0.0.1), which {part} wants, is taken by another program."


def _remedy(name: str) -> str:
    if name == HTTP:
        return "Stop that program, or choose another port: --port N."
    return "Stop that program, or let ecm choose new ports: ecm up --fresh-ports."
