"""What would become of parked messages that are redriven: the owner's checks, without effects."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from bus.message import Message, NotAMessage
from domain.catalog import TOPICS
from domain.errors import Refused
from domain.inventory.state import skus_of
from domain.message import Command
from domain.placement import misplaced
from domain.rehearsing import evolve, initial, rehearse
from store import parked_choice, shelf
from store.codec import BadData, UnknownType, decode_command
from store.connect import AsyncConnection
from store.log import read_streams
from store.parked import Parked

PROCESSORS = {f"quire-{context}": context for context in TOPICS}
"""Whose messages are commands. Any other processor redrives its rows in its own way."""


class Trial(NamedTuple):
    """`fails` is (cause, error) when it would stay parked, `refused` the code of a refusal, which
    is an end like any other; `waits` when one of its key stays before it."""

    row: Parked
    fails: tuple[str, str] | None = None
    refused: str = ""
    waits: bool = False


class Preview(NamedTuple):
    """`following` is how many that only stand behind the chosen ones go on after them."""

    trials: Sequence[Trial]
    following: int

    @property
    def sent(self) -> list[Trial]:
        return [one for one in self.trials if not one.waits]

    @property
    def failing(self) -> list[Trial]:
        return [one for one in self.trials if one.fails is not None]

    def told(self) -> dict[str, Any]:
        """As the API and `--json` show it."""
        return {
            "will_send": len(self.sent),
            "would_fail": len(self.failing),
            "would_wait": len(self.trials) - len(self.sent),
            "following": self.following,
            "failing": [
                {"id": one.row.id, "cause": one.fails[0], "error": one.fails[1]}
                for one in self.failing[:100]
                if one.fails
            ],
            "refused": [
                {"id": one.row.id, "code": one.refused} for one in self.trials if one.refused
            ][:100],
        }


async def preview(conn: AsyncConnection, rows: Sequence[Parked]) -> Preview:
    """Try each in order, those of a key one after the other; nothing is written or sent."""
    held = await parked_choice.held_back(conn, rows)
    states: dict[str, Any] = {}
    stuck: set[tuple[str, str]] = set()
    trials: list[Trial] = []
    for row in rows:
        place = (row.processor, row.key)
        if row.id in held or place in stuck:
            trials.append(Trial(row, waits=True))
            continue
        trial = await _tried(conn, row, states)
        if trial.fails is not None:
            stuck.add(place)
        trials.append(trial)
    return Preview(trials, await parked_choice.following(conn, rows))


async def _tried(conn: AsyncConnection, row: Parked, states: dict[str, Any]) -> Trial:
    context = PROCESSORS.get(row.processor)
    if context is None:
        return Trial(row)
    command = understood(row, context)
    if isinstance(command, tuple):
        return Trial(row, fails=command)
    try:
        await _decided(conn, command, states)
    except Refused as refusal:
        return Trial(row, refused=refusal.code)
    except Exception as error:  # the bug that parks it; any kind of error is one
        return Trial(row, fails=("cannot_decide", repr(error)))
    return Trial(row)


def understood(row: Parked, context: str) -> Command | tuple[str, str]:
    """The command, or (cause, error) why it is none that this context can decide."""
    try:
        message = Message.from_record(row.key.encode(), row.body, row.record_headers)
        command = decode_command(message.type, message.data)
    except NotAMessage as error:
        return ("not_a_message", str(error))
    except UnknownType as error:
        return ("unknown_kind", f"no command is called {error}")
    except BadData as error:
        return ("bad_data", str(error))
    told = (message.correlation, message.source)
    return misplaced(command, context, message.key, message.time, told) or command


async def _decided(conn: AsyncConnection, command: Command, states: dict[str, Any]) -> None:
    stream, context = command.stream, command.context
    if stream not in states:
        state = initial(context)
        if not stream.startswith("stock-"):  # whose state is its row
            for fact in (await read_streams(conn, [stream])).get(stream, ()):
                state = evolve(context, state, fact.event)
        states[stream] = state
    shelves = shelf.Shelves({}, {})
    if context == "inventory":
        shelves = await shelf.peek(conn, sorted(skus_of(command, states[stream])))
    levels = {sku: row.level for sku, row in shelves.rows.items()}
    states[stream] = rehearse(command, states[stream], levels, shelves.waiting)
