"""What would become of parked messages that are redriven: the owner's checks, without effects."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from api.letters import Letters, try_letter
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
from store.dead_letters import PROCESSOR
from store.log import read_streams
from store.parked import Parked
from store.parked_choice import BEFORE_ALL, Choice

PROCESSORS = {f"quire-{context}": context for context in TOPICS}
"""Whose messages are commands. Any other processor redrives its rows in its own way."""


MOST_REHEARSED = 10_000
MOST_SHOWN = 100
AT_ONCE = 500


class Trial(NamedTuple):
    """`fails` is (cause, error) when it would stay parked, `refused` the code of a refusal, which
    is an end like any other; `waits` when one of its key stays before it; `untold` when nobody can
    say before it is tried."""

    row: Parked
    fails: tuple[str, str] | None = None
    refused: str = ""
    waits: bool = False
    untold: bool = False


@dataclass
class Preview:
    """What would become of `messages`, as far as the first `looked_at` of them, by key, tell.

    `following` is how many that only stand behind the chosen ones go on after them; the trials
    that are kept are the first of their kind.
    """

    messages: int
    following: int
    looked_at: int = 0
    sent: int = 0
    failed: int = 0
    untold: int = 0
    failing: list[Trial] = field(default_factory=list[Trial])
    refused: list[Trial] = field(default_factory=list[Trial])

    @property
    def waiting(self) -> int:
        return self.looked_at - self.sent

    @property
    def not_looked_at(self) -> int:
        return self.messages - self.looked_at

    def add(self, trial: Trial) -> None:
        """Count one more."""
        self.looked_at += 1
        self.sent += not trial.waits
        self.untold += trial.untold
        if trial.fails is not None:
            self.failed += 1
            self.failing = [*self.failing, trial][:MOST_SHOWN]
        if trial.refused:
            self.refused = [*self.refused, trial][:MOST_SHOWN]

    def told(self) -> dict[str, Any]:
        """As the API and `--json` show it."""
        return {
            "will_send": self.sent + self.not_looked_at,
            "would_fail": self.failed,
            "would_wait": self.waiting,
            "cannot_tell": self.untold + self.not_looked_at,
            "following": self.following,
            "failing": [
                {"id": one.row.id, "cause": one.fails[0], "error": one.fails[1]}
                for one in self.failing
                if one.fails
            ],
            "refused": [{"id": one.row.id, "code": one.refused} for one in self.refused],
        }


async def preview(
    conn: AsyncConnection,
    choice: Choice,
    letters: Letters,
    *,
    most: int = MOST_REHEARSED,
    at_once: int = AT_ONCE,
) -> Preview:
    """Try each in order, those of a key one after the other; nothing is written or sent."""
    found = await parked_choice.extent(conn, choice)
    choice = choice._replace(upto=choice.upto or found.upto)
    seen = Preview(found.messages, await parked_choice.following(conn, choice))
    states: dict[str, Any] = {}
    place, stuck = BEFORE_ALL, False
    while seen.looked_at < most:
        limit = min(at_once, most - seen.looked_at)
        rows = await parked_choice.by_key(conn, choice, after=place, limit=limit)
        held = await parked_choice.held_back(conn, choice, rows)
        for row in rows:
            if place[:2] != (row.processor, row.key):
                states, stuck = {}, False
            place = (row.processor, row.key, row.id)
            if stuck or row.id in held:
                seen.add(Trial(row, waits=True))
                continue
            trial = await tried(conn, row, letters, states)
            stuck = trial.fails is not None and row.processor != PROCESSOR
            seen.add(trial)
        if len(rows) < limit:
            break
    return seen


async def tried(
    conn: AsyncConnection, row: Parked, letters: Letters, states: dict[str, Any]
) -> Trial:
    """What would become of one; `states` are those of its key after the ones before it."""
    if row.processor == PROCESSOR:
        told = await try_letter(conn, letters, row)
        if isinstance(told, tuple):
            return Trial(row, fails=told)
        return Trial(row, untold=told == "unknown")
    context = PROCESSORS.get(row.processor)
    if context is None:
        return Trial(row, untold=True)
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
