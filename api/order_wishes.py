"""Wishes about an order that is there: cancel, pay, settle, ask for labels again, return."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Response

from api import waiting
from api.asked import idempotency_key, json_body, wait_seconds
from api.cards import token
from api.forms import (
    CancelForm,
    Form,
    OrderLineForm,
    PayForm,
    ReceiveForm,
    RefuseForm,
    ReturnForm,
    SettleForm,
)
from api.hot import told
from api.known import known_document
from api.problems import Problem
from api.service import Service, given_service
from api.wishes import Ids, Made, fingerprint, submit
from domain.message import Command, LineQuantity
from domain.order.messages import (
    ApproveReturn,
    CancelOrder,
    PayOrder,
    RefuseReturn,
    RequestReturn,
    SettleOrder,
)
from domain.shipping.messages import ReceiveReturn, RetryLabel
from store.views.document import OrderDocument

router = APIRouter(prefix="/orders/{order_id}", tags=["orders"], dependencies=[Depends(json_body)])

OrderId = Annotated[str, Path(max_length=100)]
ReturnNo = Annotated[int, Path(ge=1, le=1_000_000)]
ParcelNo = ReturnNo


class Asked:
    """What every wish about an order comes with."""

    def __init__(
        self,
        order_id: OrderId,
        key: Annotated[str, Depends(idempotency_key)],
        wait: Annotated[int, Depends(wait_seconds)],
        service: Annotated[Service, Depends(given_service)],
    ) -> None:
        self.order_id = order_id
        self.key = key
        self.wait = wait
        self.service = service

    async def submit(
        self, name: str, form: Form | None, command: Callable[[OrderDocument | None], Command]
    ) -> Response:
        """`command` is made from the order as it shows, if it shows already."""

        async def make(_: Ids) -> Made:
            async with self.service.db() as conn:
                document = await known_document(conn, self.order_id)
            return Made(command(document), {"order_id": self.order_id, "status": "accepted"})

        body = form.model_dump(mode="json") if form else None
        request = fingerprint(f"POST /orders/{self.order_id}/{name}", body)
        done = await submit(self.service, self.key, request, make, waits=self.wait > 0)
        return await waiting.answer(
            self.service,
            done,
            location=f"/orders/{self.order_id}",
            wait=self.wait,
            order_id=self.order_id,
        )


_ANSWERS = told(404, 409, 415, 422, 503, at_rest=200)


@router.post("/cancel", status_code=202, summary="Cancel all or a part", responses=_ANSWERS)
async def cancel(
    asked: Annotated[Asked, Depends()], form: Annotated[CancelForm | None, Body()] = None
) -> Response:
    """Before hand-over; stock and money go back."""
    wanted = form or CancelForm()

    def command(document: OrderDocument | None) -> Command:
        lines = _lines(document, wanted.lines) if wanted.lines else ()
        refused = _refused(document) if lines else ()
        return CancelOrder(asked.order_id, lines, wanted.reason, refused)

    return await asked.submit("cancel", wanted, command)


@router.post("/pay", status_code=202, summary="Pay again", responses=_ANSWERS)
async def pay(asked: Annotated[Asked, Depends()], form: PayForm) -> Response:
    """After a decline that can be tried again."""
    card = token(form.payment_method)
    return await asked.submit("pay", form, lambda _: PayOrder(asked.order_id, card))


@router.post("/settle", status_code=202, summary="Settle what is owed", responses=_ANSWERS)
async def settle(
    asked: Annotated[Asked, Depends()], form: Annotated[SettleForm | None, Body()] = None
) -> Response:
    """Try the failed captures and refunds again, on another card if need be, or let them go."""
    wanted = form or SettleForm()
    if wanted.write_off and wanted.payment_method:
        raise Problem(
            422,
            "settle_not_clear",
            "what is written off is not charged to a card",
            hint="Send payment_method or write_off, not both.",
        )
    if wanted.write_off and not wanted.reason:
        raise Problem(422, "reason_missing", "say why it is written off", hint="Send a reason.")
    card = token(wanted.payment_method)

    def command(_: OrderDocument | None) -> Command:
        return SettleOrder(asked.order_id, card, wanted.write_off, wanted.reason)

    return await asked.submit("settle", wanted, command)


@router.post("/return", status_code=202, summary="Ask for a return", responses=_ANSWERS)
async def request_return(
    asked: Annotated[Asked, Depends()], form: Annotated[ReturnForm | None, Body()] = None
) -> Response:
    """Of what was delivered."""
    wanted = form or ReturnForm()

    def command(document: OrderDocument | None) -> Command:
        lines = _lines(document, wanted.lines) if wanted.lines else _returnable(document)
        return RequestReturn(asked.order_id, lines, wanted.reason)

    return await asked.submit("return", wanted, command)


@router.post(
    "/parcels/{number}/label", status_code=202, summary="Ask for a label again", responses=_ANSWERS
)
async def relabel(asked: Annotated[Asked, Depends()], number: ParcelNo) -> Response:
    """Of a parcel that the carrier refused, once that was seen to."""
    parcel_id = f"{asked.order_id}.{number}"
    return await asked.submit(
        f"parcels/{number}/label", None, lambda _: RetryLabel(asked.order_id, parcel_id)
    )


@router.post(
    "/returns/{number}/approve", status_code=202, summary="Approve a return", responses=_ANSWERS
)
async def approve(asked: Annotated[Asked, Depends()], number: ReturnNo) -> Response:
    return await asked.submit(
        f"returns/{number}/approve", None, lambda _: ApproveReturn(asked.order_id, number)
    )


@router.post(
    "/returns/{number}/refuse", status_code=202, summary="Refuse a return", responses=_ANSWERS
)
async def refuse(
    asked: Annotated[Asked, Depends()],
    number: ReturnNo,
    form: Annotated[RefuseForm | None, Body()] = None,
) -> Response:
    wanted = form or RefuseForm()
    return await asked.submit(
        f"returns/{number}/refuse",
        wanted,
        lambda _: RefuseReturn(asked.order_id, number, wanted.reason),
    )


@router.post(
    "/returns/{number}/receive", status_code=202, summary="Goods came back", responses=_ANSWERS
)
async def receive(
    asked: Annotated[Asked, Depends()],
    number: ReturnNo,
    form: Annotated[ReceiveForm | None, Body()] = None,
) -> Response:
    """What came back is paid back and, if it can be sold, put on the shelf again."""
    wanted = form or ReceiveForm()

    def command(document: OrderDocument | None) -> Command:
        announced = _announced(document, number)
        lines = _lines(document, wanted.lines) if wanted.lines else announced
        unsellable = _lines(document, wanted.unsellable) if wanted.unsellable else ()
        return ReceiveReturn(asked.order_id, number, lines, wanted.condition, unsellable)

    return await asked.submit(f"returns/{number}/receive", wanted, command)


def _shown(document: OrderDocument | None) -> OrderDocument:
    if document is None:
        raise Problem(
            409,
            "order_not_ready",
            "the order was accepted a moment ago and its lines do not show yet",
            hint="Try again in a second.",
            headers={"Retry-After": "1"},
        )
    return document


def _lines(
    document: OrderDocument | None, forms: Sequence[OrderLineForm]
) -> tuple[LineQuantity, ...]:
    lines = _shown(document).lines
    found: list[LineQuantity] = []
    for form in forms:
        fit = [
            line
            for line in lines
            if form.line in {None, line.line} and form.sku in {None, line.sku}
        ]
        if len(fit) != 1 or (form.line is None and form.sku is None):
            raise Problem(
                422,
                "line_unknown" if not fit else "line_not_clear",
                f"line {form.line or form.sku or '?'} is not one line of this order",
                hint="GET the order: lines are numbered from 1.",
            )
        found.append(LineQuantity(fit[0].line, fit[0].sku, form.quantity))
    return tuple(found)


def _refused(document: OrderDocument | None) -> tuple[str, ...]:
    """The parcels that the carrier will not have."""
    return tuple(one.parcel_id for one in _shown(document).parcels if one.status == "refused")


def _returnable(document: OrderDocument | None) -> tuple[LineQuantity, ...]:
    """What was delivered and is in no return that was not refused."""
    shown = _shown(document)
    units = Counter[int]()
    for parcel in shown.parcels:
        if parcel.status == "delivered":
            units.update({one.line: one.quantity for one in parcel.lines})
    for each in shown.returns:
        if each.status != "refused":
            units.subtract({one.line: one.quantity for one in each.lines})
    return tuple(
        LineQuantity(line.line, line.sku, units[line.line])
        for line in shown.lines
        if units[line.line] > 0
    )


def _announced(document: OrderDocument | None, number: int) -> tuple[LineQuantity, ...]:
    for each in _shown(document).returns:
        if each.return_no == number and each.status == "refused":
            raise Problem(
                409,
                "return_closed",
                f"return number {number} was refused",
                hint="Ask for another return of what came back.",
            )
        if each.return_no == number:
            return each.lines
    raise Problem(404, "return_not_found", f"the order has no return number {number}")
