"""Which ports somebody else holds."""

import socket
from collections.abc import Mapping
from random import randrange

from stack.errors import StackFault
from stack.layout import LOOPBACK

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


def require_free(wanted: Mapping[str, int]) -> None:
    """Refuse to start where another already listens."""
    for name, port in wanted.items():
        if taken(port):
            raise StackFault(
                "port_taken",
                f"port {port}, wanted for {name}, is taken",
                "Stop what listens there, or take others with --port-base.",
            )


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
