"""What is asked most, past the framework's routing: it costs more than the answers themselves.

The framework documents these routes, and takes each request that a shortcut gives back.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from api import orders, place

_ORDERS = "/orders"
_ORDER = "/orders/"


class Shortcut(NamedTuple):
    """A route's pattern, and the function that takes a request and its body."""

    path: str
    route: Callable[[Request, bytes], Awaitable[Response | None]]


async def _one(request: Request, _: bytes) -> Response:
    return await orders.one(request)


async def _some(request: Request, _: bytes) -> Response:
    return await orders.some(request)


_PLACE = Shortcut(_ORDERS, place.quickly)
_ONE = Shortcut("/orders/{order_id}", _one)
_SOME = Shortcut(_ORDERS, _some)


def find(scope: Scope) -> Shortcut | None:
    """The shortcut of a request, when there is one."""
    path: str = scope["path"]
    if not path.startswith(_ORDERS):
        return None
    method = scope["method"]
    if method == "GET" and path.startswith(_ORDER) and path.find("/", len(_ORDER)) < 0:
        order_id = path[len(_ORDER) :]
        scope["path_params"] = {"order_id": order_id}
        return _ONE if order_id else None
    if path == _ORDERS:
        return _SOME if method == "GET" else _PLACE if method == "POST" else None
    return None
