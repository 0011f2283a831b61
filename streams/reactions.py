"""What a fact sends out: itself to `quire.events`, and the commands that it causes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bus.message import RELAY, Message
from domain.catalog import COMMANDS, TOPICS
from domain.fulfilment import react
from domain.ids import derive, text_of
from domain.message import Command
from store.codec import encode
from store.log import Recorded

_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_WITH_PARTS = {"shipment", "notification"}  # their streams are <category>-<order>.<part>


@dataclass(frozen=True)
class Routes:
    """Where facts and the commands of each context go."""

    facts: str
    commands: Mapping[str, str]

    @property
    def topics(self) -> list[str]:
        return [self.facts, *self.commands.values()]

    def of(self, command: Message) -> str:
        """The topic of a command."""
        return self.commands[COMMANDS[command.type].context]


ROUTES = Routes("quire.events", TOPICS)


def fact_of(fact: Recorded) -> Message | None:
    """The fact as others hear of it; None when it is history, which is not news."""
    if fact.imported:
        return None
    return Message(
        id=fact.id,
        type=fact.type,
        source=fact.source,
        time=fact.occurred_at,
        key=key_of(fact.stream),
        subject=fact.stream,
        correlation=fact.correlation,
        causation=fact.causation,
        data=fact.data,
        position=fact.position,
    )


def commands_of(fact: Recorded, since: Mapping[str, int]) -> list[Message]:
    """The commands that a fact causes, the same each time.

    None for imported history. None of a kind, or of a kind of mail, that was first deployed after
    the fact was relayed: `since` says for each of `KINDS` up to where. Raises UnknownType, BadData.
    """
    if fact.imported:
        return []
    return [
        _message(fact, reaction.command, reaction.part)
        for reaction in react(fact.event)
        if fact.position > since[reaction.command.counts_as]
    ]


def key_of(stream: str) -> str:
    """The record key of a stream's facts: the order's id where there is one, so that all facts of
    an order stand in one partition, in order."""
    category, _, subject = stream.partition("-")
    return subject.partition(".")[0] if category in _WITH_PARTS else subject


def _message(fact: Recorded, command: Command, part: str) -> Message:
    milliseconds = (fact.recorded_at - _1970) // _MILLISECOND
    return Message(
        id=derive(milliseconds, f"fact|{text_of(fact.id)}|{command.kind}|{part}"),
        type=command.kind,
        source=RELAY,
        time=fact.recorded_at,
        key=command.key,
        subject=command.stream,
        correlation=fact.correlation,
        causation=fact.id,
        data=encode(command),
    )
