"""Problem documents (RFC 9457): the one shape of every error, with a stable `code` and a hint."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import Scope

from bus.publisher import PublishFailed
from store.errors import Unavailable

log = logging.getLogger("quire.api")


class Problem(Exception):
    """Ends a request with a problem document."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.hint = hint
        self.headers = dict(headers or {})
        self.more = more

    def response(self, instance: str = "") -> Response:
        document = {
            "type": f"urn:quire:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            **({"hint": self.hint} if self.hint else {}),
            **({"instance": instance} if instance else {}),
            **self.more,
        }
        return Response(
            msgspec.json.encode(document),
            self.status,
            {**self.headers, "Kne-Reason": self.code},  # Knative keeps it with a dead letter
            media_type="application/problem+json",
        )


def not_storable(where: str) -> Problem:
    return Problem(
        422,
        "text_not_storable",
        f"the {where} holds text that cannot be kept",
        hint="Leave out NUL characters (\\u0000), lone surrogates and bytes that are not UTF-8.",
    )


def order_not_found(order_id: str) -> Problem:
    return Problem(404, "order_not_found", f"there is no order {order_id[:64]}")


_CODES = {
    404: ("not_found", "Have a look at /docs for what there is."),
    405: ("method_not_allowed", "The header Allow says what is."),
    400: ("not_json", "The body has to be one JSON document."),
}


def install(app: FastAPI) -> None:
    """Make every error of the application a problem document."""

    def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return error.response(request.url.path)

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code, hint = _CODES.get(error.status_code, (f"http_{error.status_code}", ""))
        headers = error.headers or {}
        told = Problem(error.status_code, code, str(error.detail), hint=hint, headers=headers)
        return told.response(request.url.path)

    def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        found = [
            {
                "at": "/".join(str(part) for part in each["loc"]),
                "code": str(each["type"]),
                "message": str(each["msg"]),
            }
            for each in error.errors()[:20]
        ]
        first = found[0] if found else {"at": "", "message": "not valid"}
        told = Problem(
            422,
            "not_valid",
            f"{first['at']}: {first['message']}",
            hint="errors names each field; /docs shows an example.",
            errors=found,
        )
        return told.response(request.url.path)

    def silent(request: Request, error: Exception) -> Response:
        return unavailable(request.scope, error)

    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    for kind in SILENT:
        app.add_exception_handler(kind, silent)


SILENT = (PublishFailed, Unavailable, TimeoutError)
"""Kafka or Postgres does not answer."""


DISK_FULL = "disk_full"
"""The `code` of those of them where a disk is full; of no use to a customer, but to who watches."""


def unavailable(scope: Scope, error: BaseException) -> Response:
    """What is said of an error of SILENT."""
    log.warning("%s %s: %s", scope["method"], scope["path"], error)
    code = getattr(error, "code", "unavailable")
    full = code == DISK_FULL
    told = Problem(
        503,
        code if full else "unavailable",
        "a disk of the system is full" if full else "a part of the system does not answer now",
        hint="Send the same request with the same Idempotency-Key again.",
        headers={"Retry-After": "2"},
    )
    return told.response(scope["path"])


def internal() -> Response:
    """What is said when it is our own mistake; the log has the rest."""
    return Problem(500, "internal_error", "something went wrong here; it was logged").response()
