"""`/ops/parked`: messages that need a person. The same as `quire parked`, over HTTP."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Response
from pydantic import ConfigDict, Field

from api import moving
from api.asked import json_body
from api.forms import LARGEST, Form
from api.hot import told
from api.letters import Letters
from api.parked_view import past, shown
from api.problems import Problem
from api.rehearsal import preview
from api.service import Service, given_service
from store import parked, parked_choice, unparking
from store.parked import Parked
from store.parked_choice import Choice

router = APIRouter(prefix="/ops/parked", tags=["operations"], dependencies=[Depends(json_body)])

ServiceOf = Annotated[Service, Depends(given_service)]
MOST_NAMED = 10_000
MOST_UNCONFIRMED = 100
LONGEST_SECONDS = 20.0  # of one request that moves messages; the rest is for the next one

Number = Annotated[int, Field(ge=1, le=LARGEST)]
By = Annotated[str, Field(min_length=1, max_length=200, description="Who does it.")]
Because = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]
Text = Annotated[str, Field(max_length=512)]


class WhichForm(Form):
    """The messages that are meant: `ids`, or all that fit; `all` has to be said."""

    ids: Annotated[tuple[Number, ...], Field(max_length=MOST_NAMED)] = ()
    code: Text = ""
    key: Text = ""
    topic: Text = ""
    all: bool = False
    after: Annotated[
        int, Field(ge=0, le=LARGEST, description="Only what follows this id: `next` of an answer.")
    ] = 0
    by: By = "anonymous"
    rate: Annotated[
        float | None, Field(gt=0, allow_inf_nan=False, description="At most so many a second.")
    ] = None
    dry_run: Annotated[bool, Field(description="Only say what would become of them.")] = False
    confirm: Annotated[int | None, Field(description="Their number, when it is above 100.")] = None

    def choice(self) -> Choice:
        if not (self.ids or self.code or self.key or self.topic or self.all):
            raise Problem(422, "nothing_chosen", "say which", hint="ids, code, key, topic or all.")
        return Choice(self.ids, "", self.topic, self.key, self.code, self.after)


class RedriveForm(WhichForm):
    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"ids": [17], "by": "ada"}]}
    )


class DiscardForm(WhichForm):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"ids": [17], "by": "ada", "because": "sent by mistake"}]},
    )

    because: Because


class EditForm(Form):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"body": {"order_id": "o-1"}, "because": "no id"}]},
    )

    body: Annotated[dict[str, Any], Field(description="The whole payload.")]
    kind: Text = ""
    by: By = "anonymous"
    because: Because


@router.get("", summary="What is parked, by its cause", responses=told(422, answer=200))
async def some(
    service: ServiceOf,
    code: str = "",
    key: str = "",
    topic: str = "",
    processor: str = "",
    after: Annotated[int, Field(ge=0, le=LARGEST)] = 0,
    limit: Annotated[int, Field(ge=1, le=1000)] = 100,
) -> Response:
    """`groups` counts all that fits; `messages` is a page, oldest first, without payloads."""
    choice = Choice((), processor, topic, key, code)
    async with service.db() as conn:
        groups = await parked_choice.groups(conn, choice)
        rows = await parked_choice.chosen(conn, choice._replace(after=after), limit=limit)
    following = rows[-1].id if len(rows) == limit else None
    found = [shown(row, payload=False) for row in rows]
    grouped = [group._asdict() for group in groups]
    return _json({"groups": grouped, "messages": found, "next": following})


@router.get("/history", summary="What people moved, newest first", responses=told(answer=200))
async def history(
    service: ServiceOf, limit: Annotated[int, Field(ge=1, le=1000)] = 100
) -> Response:
    """Who, when, why, and what became of it."""
    async with service.db() as conn:
        rows = await unparking.history(conn, limit=limit)
    return _json({"messages": [past(row) for row in rows]})


@router.get("/{number}", summary="One parked message", responses=told(404, answer=200))
async def one(number: Number, service: ServiceOf) -> Response:
    """With its payload; what is sealed stays sealed. `history` is what was done about it before."""
    async with service.db() as conn:
        row = await parked.show(conn, number)
        before = await unparking.history(conn, parked_id=number)
    if row is None and not before:
        raise _not_parked(number)
    told = shown(row) if row is not None else {"id": number, "parked": False}
    return _json({**told, "history": [past(each, payload=True) for each in before]})


@router.post(
    "/redrive", summary="Decide messages again", responses=told(409, 415, 422, 503, answer=200)
)
async def redrive(form: RedriveForm, service: ServiceOf) -> Response:
    """What was handled already is not handled again.

    A request moves for 20 seconds at the most: when `left` is not 0, send `next` as `after`."""
    return await _move(service, form, "redrive", "")


@router.post("/discard", summary="Give messages up", responses=told(409, 415, 422, 503, answer=200))
async def discard(form: DiscardForm, service: ServiceOf) -> Response:
    """Those that stand behind them go on."""
    return await _move(service, form, "discard", form.because)


@router.post(
    "/{number}/edit",
    summary="Replace a message",
    responses=told(404, 409, 415, 422, 503, answer=200),
)
async def edit(number: Number, form: EditForm, service: ServiceOf) -> Response:
    """The new one takes its place in the queue under its own id; the first one is kept, as
    discarded. 422 when the new one could not be decided either: then nothing changes."""
    data = msgspec.json.encode(form.body)
    async with service.db() as conn:
        row = await _parked(conn, number)
        try:
            new = await moving.edit(
                conn, service.publisher, row, data, by=form.by, because=form.because, kind=form.kind
            )
        except moving.NotEditable as why:
            status = 409 if why.code == "not_parked" else 422
            raise Problem(status, why.code, str(why), hint="Nothing was changed.") from why
    return _json({"id": number, "discarded": row.command_id, "edited": new})


async def _move(service: Service, form: WhichForm, wish: str, because: str) -> Response:
    async with service.db() as conn:
        found = await parked_choice.extent(conn, choice := form.choice())
        choice = choice._replace(upto=found.upto)
        told: dict[str, Any] = {"messages": found.messages}
        if wish == "redrive" and found.messages:
            letters = Letters.of(service.vault, service.settings.redrive_targets)
            told |= (await preview(conn, choice, letters)).told()
        if form.dry_run or not found.messages:
            return _json({**told, "marked": 0, "left": found.messages, "next": None})
        _refuse_unconfirmed(found.messages, form.confirm)
        moved = await moving.move(
            conn,
            service.publisher,
            choice,
            wish,
            by=form.by,
            because=because,
            rate=form.rate or 0,
            seconds=LONGEST_SECONDS,
        )
        rest = await parked_choice.extent(conn, choice._replace(after=moved.last))
    following = moved.last if rest.messages else None
    return _json({**told, "marked": moved.marked, "left": rest.messages, "next": following})


def _refuse_unconfirmed(count: int, confirmed: int | None) -> None:
    if count > MOST_UNCONFIRMED and confirmed != count:
        raise Problem(
            409,
            "not_confirmed",
            f"{count} messages are meant",
            hint=f'Send "confirm": {count} when that is what you want.',
            messages=count,
        )


async def _parked(conn: Any, number: int) -> Parked:
    row = await parked.show(conn, number)
    if row is None:
        raise _not_parked(number)
    return row


def _not_parked(number: int) -> Problem:
    return Problem(404, "not_parked", f"no message {number} is parked")


def _json(value: Mapping[str, Any]) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
