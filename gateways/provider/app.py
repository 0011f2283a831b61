"""The provider's routes: authorise, capture, void, refund; 3-D Secure; the ledger; scripts."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from domain.message import Money
from domain.payment.messages import ProviderRequest, Step
from gateways.accounts import NEEDS_CUSTOMER
from gateways.ledger import PAUSES, Entry, KeyReused, Ledger, parse_ledger
from gateways.provider.notices import Notices
from gateways.provider.page import page
from gateways.provider.scripts import CUSTOMER, Script, Scripts
from gateways.wire import KEY, STEPS, Body, Notice, NoticeType

HANG_SECONDS = 60.0
TIMES_OUT = "tok_timeout"
"""A card whose first call is done and not answered."""

_encode = msgspec.json.Encoder().encode
_body = msgspec.json.Decoder(Body).decode
_script = msgspec.json.Decoder(Script).decode

_TOLD: dict[tuple[str, str], NoticeType] = {
    ("authorize", "approved"): "charge.authorized",
    ("authorize", "declined"): "charge.declined",
    ("capture", "approved"): "charge.captured",
    ("void", "approved"): "charge.voided",
    ("refund", "approved"): "charge.refunded",
}


class Provider:
    """One ledger, the scripts for it, and the webhooks that come of it."""

    def __init__(self, ledger: Ledger, notices: Notices, *, delay_seconds: float = 0) -> None:
        self._ledger = ledger
        self._notices = notices
        self._delay = delay_seconds
        self._scripts = Scripts()

    def app(self) -> Starlette:
        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncGenerator[None]:
            self._notices.start()
            yield
            await self._notices.close()
            self._ledger.close()

        return Starlette(
            routes=[
                *(Route(f"/v1/{step}", self._step(step), methods=["POST"]) for step in STEPS),
                Route("/v1/ledger", self._read, methods=["GET"]),
                Route("/v1/scripts", self._list, methods=["GET"]),
                Route("/v1/scripts", self._add, methods=["POST"]),
                Route("/v1/scripts", self._clear, methods=["DELETE"]),
                Route("/v1/scripts/{id}", self._clear, methods=["DELETE"]),
                Route("/3ds/{reference}", self._page, methods=["GET"]),
                Route("/3ds/{reference}/{choice}", self._choose, methods=["POST"]),
                Route("/healthz", _healthy, methods=["GET"]),
            ],
            lifespan=lifespan,
        )

    def _step(self, step: Step) -> Any:
        async def route(request: Request) -> Response:
            key = request.headers.get(KEY, "")
            try:
                body = _body(await request.body())
            except msgspec.DecodeError as wrong:
                return _problem(422, "not_valid", str(wrong))
            if not key:
                return _problem(400, "key_missing", f"the header {KEY} is missing")
            return await self._perform(request, body.request(step, key))

        return route

    async def _perform(self, call: Request, request: ProviderRequest) -> Response:
        now = datetime.now(UTC)
        token = request.payment_method
        script = self._scripts.take(request.step, request.order_id, token, now)
        if script is not None and script.action == "unavailable":
            return _problem(503, "unavailable", "the provider is down", {"Retry-After": "1"})
        pause = self._delay + PAUSES.get(token, 0)
        if script is not None and script.action == "slow":
            pause += script.seconds
        if pause:
            await asyncio.sleep(pause)
        try:
            entry, new = self._ledger.perform(_scripted(request, script), script and script.told)
        except KeyReused:
            return _problem(422, "idempotency_key_reused", "this key stands for another request")
        if new and script is not None:
            await self._notify(entry, script)
        if (script is not None and script.action == "timeout") or (new and token == TIMES_OUT):
            await _hang(call)
        return _json(entry.answer())

    async def _notify(self, entry: Entry, script: Script) -> None:
        kind = _TOLD.get((entry.step, entry.outcome))
        if kind is None or not script.notices:
            return
        notice = _notice(kind, entry)
        if script.notice_first:
            await self._notices.now(notice, copies=script.notices)
        else:
            self._notices.send(notice, copies=script.notices, after=script.notice_seconds)

    async def _page(self, request: Request) -> Response:
        entry = self._ledger.challenge(request.path_params["reference"])
        if entry is None:
            return HTMLResponse("<p>There is no such payment.</p>", 404)
        return HTMLResponse(page(entry))

    async def _choose(self, request: Request) -> Response:
        choice = request.path_params["choice"]
        if choice not in ("confirm", "refuse"):
            return HTMLResponse("<p>Confirm or refuse.</p>", 404)
        done = self._ledger.settle(request.path_params["reference"], confirmed=choice == "confirm")
        if done is None:
            return HTMLResponse("<p>There is no such payment.</p>", 404)
        if done.new:
            entry = done.entry
            script = self._scripts.take(CUSTOMER, entry.order_id, "", datetime.now(UTC))
            self._notices.send(
                _notice("authentication.completed", entry),
                copies=max(1, script.notices) if script else 1,
                after=script.notice_seconds if script else 0,
            )
        return HTMLResponse(page(done.entry))

    async def _read(self, request: Request) -> Response:
        order_id = request.query_params.get("order_id")
        lines = self._ledger.path.open("rb")
        if order_id is None:
            return StreamingResponse(_blocks(lines), media_type="application/jsonl")
        with lines:
            found = [_encode(one) for one in parse_ledger(lines) if one.order_id == order_id]
        return Response(b"".join(line + b"\n" for line in found), media_type="application/jsonl")

    async def _list(self, _: Request) -> Response:
        return _json(self._scripts.all(datetime.now(UTC)))

    async def _add(self, request: Request) -> Response:
        try:
            script = _script(await request.body())
        except msgspec.DecodeError as wrong:
            return _problem(422, "not_valid", str(wrong))
        return _json(self._scripts.add(script, datetime.now(UTC)), 201)

    async def _clear(self, request: Request) -> Response:
        return _json({"cleared": self._scripts.clear(request.path_params.get("id", ""))})


def _scripted(request: ProviderRequest, script: Script | None) -> ProviderRequest:
    tokens = {"approve": "tok_approve", "3ds": NEEDS_CUSTOMER}
    if script is None or script.action not in tokens or request.step != "authorize":
        return request
    return replace(request, payment_method=tokens[script.action])


def _notice(kind: NoticeType, entry: Entry) -> Notice:
    return Notice(
        f"ntc-{uuid4().hex}", kind, entry.order_id, entry.reference,
        Money(entry.amount_minor, entry.currency), entry.at, entry.subject,
    )  # fmt: skip


async def _hang(call: Request) -> None:
    """Stay silent until the caller has gone."""
    try:
        async with asyncio.timeout(HANG_SECONDS):
            while (await call.receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        pass


async def _blocks(lines: Any) -> AsyncGenerator[bytes]:
    with lines:
        while block := lines.read(1 << 20):
            yield block


async def _healthy(_: Request) -> Response:
    return _json({"ok": True})


def _json(value: object, status: int = 200) -> Response:
    return Response(_encode(value), status, media_type="application/json")


def _problem(
    status: int, code: str, detail: str, headers: dict[str, str] | None = None
) -> Response:
    document = {"status": status, "code": code, "detail": detail}
    return Response(_encode(document), status, headers, media_type="application/problem+json")
