"""Which ports somebody else holds."""

import socket
from collections.abc import Mapping

from stack.errors import StackFault
from stack.layout import LOOPBACK


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
