"""Which ports somebody else holds."""

import socket
from collections.abc import Iterator, Mapping
from random import randrange

from stack.errors import StackFault
from stack.layout import LOOPBACK

METRICS = "the metrics"
"""So begins what a page of metrics is called; QUIRE_METRICS_PORT moves those."""

# Below the ports that kernels lend to clients (Linux: 32768, others: 49152), so that no connection
# of somebody else's, nor one of our own, comes to stand on a port between its choice and its use.
CHOICE = range(18_000, 32_000)


def taken(port: int) -> bool:
    """Tell whether the port cannot be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False


def in_the_way(wanted: Mapping[str, int]) -> Iterator[StackFault]:
    """The first port that two want, and each where another already listens."""
    names: dict[int, str] = {}
    for name, port in wanted.items():
        if port in names:
            yield StackFault(
                "port_wanted_twice",
                f"port {port} is wanted for {names[port]} and for {name}",
                f"Choose other ports with {_setting(name)}.",
            )
            break
        names[port] = name
    for name, port in wanted.items():
        if taken(port):
            yield StackFault(
                "port_taken",
                f"port {port}, wanted for {name}, is taken",
                f"Stop what listens there, or choose other ports with {_setting(name)}.",
            )


def require_free(wanted: Mapping[str, int]) -> None:
    """Refuse to start where two want one port, or where another already listens."""
    for fault in in_the_way(wanted):
        raise fault


def _setting(name: str) -> str:
    return "QUIRE_METRICS_PORT" if name.startswith(METRICS) else "--port-base"


def free_in_a_row(count: int) -> int:
    """Choose the first of so many neighbouring ports that nobody listens on."""
    while True:
        first = randrange(CHOICE.start, CHOICE.stop - count)
        if not any(map(taken, range(first, first + count))):
            return first


def free_ports(count: int) -> list[int]:
    """Choose ports that nobody listens on."""
    first = free_in_a_row(count)
    return list(range(first, first + count))
