"""On which channels a customer wants to hear of an order."""

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Response
from pydantic import ConfigDict, Field

from api import waiting
from api.asked import idempotency_key, json_body, wait_seconds
from api.forms import Form
from api.hot import told
from api.service import Service, given_service
from api.wishes import Ids, Made, fingerprint, submit
from domain.notification.messages import Channel, PreferencesSet, SetPreferences
from store.log import read_streams

router = APIRouter(
    prefix="/customers/{customer_id}/preferences",
    tags=["customers"],
    dependencies=[Depends(json_body)],
)

USUAL: tuple[Channel, ...] = ("email",)
"""What counts as long as a customer has not chosen."""

CustomerId = Annotated[str, Path(min_length=1, max_length=200)]
ServiceOf = Annotated[Service, Depends(given_service)]


class PreferencesForm(Form):
    """The channels that are wanted; none at all is allowed."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"channels": ["email"]}]}
    )

    channels: Annotated[list[Literal["email", "webhook"]], Field(max_length=2)]


@router.get("", summary="What a customer wants to hear", responses=told(422, answer=200))
async def read(customer_id: CustomerId, service: ServiceOf) -> Response:
    """`chosen` is false as long as the customer has not said anything."""
    stream = f"preferences-{customer_id}"
    async with service.db() as conn:
        facts = (await read_streams(conn, [stream])).get(stream)
    chosen = facts[-1].event if facts else None
    channels = chosen.channels if isinstance(chosen, PreferencesSet) else USUAL
    shown = {
        "customer_id": customer_id,
        "channels": channels,
        "chosen": chosen is not None,
    }
    return Response(msgspec.json.encode(shown), media_type="application/json")


@router.put(
    "",
    status_code=202,
    summary="Choose what to hear",
    responses=told(409, 415, 422, 503, at_rest=200),
)
async def choose(
    customer_id: CustomerId,
    form: PreferencesForm,
    key: Annotated[str, Depends(idempotency_key)],
    wait: Annotated[int, Depends(wait_seconds)],
    service: ServiceOf,
) -> Response:
    """Counts for messages to come; one that is being tried again still goes out."""

    async def make(_: Ids) -> Made:
        command = SetPreferences(customer_id, tuple(form.channels))
        return Made(command, {"customer_id": customer_id, "status": "accepted"})

    place = f"/customers/{customer_id}/preferences"
    request = fingerprint(f"PUT {place}", form.model_dump(mode="json"))
    done = await submit(service, key, request, make, waits=wait > 0)
    return await waiting.answer_decided(service, done, location=place, wait=wait)
