"""Routes for what is read most: FastAPI documents them, the request goes straight to the function.

Solving dependencies and wrapping answers costs more than the whole look-up; both are skipped.
"""

from collections.abc import Callable, Coroutine
from typing import Any, cast

from fastapi import Request, Response
from fastapi.routing import APIRoute


class HotRoute(APIRoute):
    """Its function takes the request and gives the response."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return cast("Callable[[Request], Coroutine[Any, Any, Response]]", self.endpoint)


def parameter(
    name: str, description: str, *, where: str = "query", example: object = None, **schema: object
) -> dict[str, Any]:
    """One parameter, as OpenAPI wants it."""
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": description,
        "schema": {"type": "string", **schema},
        **({} if example is None else {"example": example}),
    }


def told(*problems: int, answer: int = 0, at_rest: int = 0) -> dict[int | str, dict[str, Any]]:
    """What a route may answer, as OpenAPI wants it; every error is a problem document."""
    document = {"content": {"application/problem+json": {"schema": {"type": "object"}}}}
    answers: dict[int | str, dict[str, Any]] = {
        status: {"description": "Problem", **document} for status in problems
    }
    for status, description in ((answer, "Answer"), (at_rest, "At rest, with `Prefer: wait`")):
        if status:
            answers[status] = {"description": description, "content": {"application/json": {}}}
    return answers
