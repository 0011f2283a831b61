"""The headers that every wish may carry: Idempotency-Key and Prefer, and its media type."""

import re
from typing import Annotated
from uuid import uuid4

from fastapi import Header, Request

from api.problems import Problem
from api.storable import storable

LONGEST_KEY = 255
LONGEST_WAIT = 30

_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?(?=$|[,;\s])", re.IGNORECASE)


async def idempotency_key(  # async: FastAPI would run it in a thread
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="Any text up to 255 characters. The same key and body: the same answer.",
            examples=["order-2026-0001"],
        ),
    ] = None,
) -> str:
    return key_of(key)


def key_of(key: str | None) -> str:
    """The caller's key, or one made up here."""
    if key is None:
        return f"made-up-{uuid4()}"
    if not 0 < len(key) <= LONGEST_KEY or not storable(key):
        raise Problem(
            422,
            "idempotency_key_not_valid",
            f"the Idempotency-Key has to be 1 to {LONGEST_KEY} characters long",
        )
    return key


async def wait_seconds(
    prefer: Annotated[
        str | None,
        Header(description="`wait=5` answers when the order is at rest.", examples=["wait=5"]),
    ] = None,
) -> int:
    return wait_of(prefer)


def wait_of(prefer: str | None) -> int:
    """How long to wait for what becomes of the wish; 0 is not at all."""
    found = _WAIT.search(prefer or "")
    return min(int(found[1]), LONGEST_WAIT) if found else 0


async def json_body(request: Request) -> None:
    """Refuses with 415 a body that does not say that it is JSON; no body is fine."""
    kind, _, _ = request.headers.get("content-type", "").partition(";")
    said = kind.strip().lower()
    if said == "application/json" or (said.startswith("application/") and said.endswith("+json")):
        return
    if await request.body():
        raise Problem(
            415,
            "content_type_not_json",
            f"the body is sent as {said[:100]}" if said else "the body has no Content-Type",
            hint="Send JSON with the header Content-Type: application/json.",
        )
