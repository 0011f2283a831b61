"""One attempt at deciding a batch: in memory, message by message, nothing written yet."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from bus.message import RELAY
from domain.deadlines import Disarm, Periods, deadlines
from domain.errors import Refused
from domain.ids import derive, text_of
from domain.message import Command, Event
from store.chain import link
from store.codec import encode
from store.commit import Decided, NewOutcome, NewTimer, Step
from store.errors import Stale
from store.log import NewEvent
from store.parked import BEHIND, NUDGE, NewParked, dump_headers
from store.shelf import Shelves
from streams.context import Context
from streams.incoming import Incoming
from streams.memory import Held, Memory
from streams.shelves import Stock
from streams.verdict import Known, TimerKey, Verdict


class Undecidable(Stale):
    """A message broke the batch; it is parked when the batch is decided again."""


class Batch:
    """Decides the messages of one batch. A key's messages are decided in order, keys side by side
    where somebody outside has to be asked."""

    def __init__(
        self, context: Context, memory: Memory, known: Known, periods: Periods, now: datetime
    ) -> None:
        self._context = context
        self._memory = memory
        self._known = known
        self._periods = periods
        self._now = now
        self._milliseconds = int(now.timestamp() * 1000)
        self._fresh: dict[str, Held] = {}
        self._armed = dict(known.armed)
        self._stock: Stock | None = None
        self.parked_keys = set(known.parked_keys)
        self.relayed = dict(known.last_relayed)
        self.gaps: list[int] = []

    def sift(self, batch: Sequence[Incoming]) -> list[Incoming]:
        """Drops repeats and nudges, and leaves out what misses its predecessor (PROTOCOL 2)."""
        settled = set(self._known.settled)
        kept: list[Incoming] = []
        for incoming in batch:
            if incoming.kind == NUDGE:
                continue
            relayed = incoming.message is not None and incoming.message.source == RELAY
            if incoming.id not in settled:
                if relayed and self._misses_predecessor(incoming, settled):
                    self.gaps.append(incoming.partition)
                    continue
                kept.append(incoming)
                settled.add(incoming.id)
            if relayed:
                self.relayed[incoming.partition] = incoming.id
        return kept

    def _misses_predecessor(self, incoming: Incoming, settled: set[UUID]) -> bool:
        assert incoming.message is not None
        prev = incoming.message.prev
        return (
            prev is not None
            and prev != self.relayed.get(incoming.partition)
            and prev not in settled
        )

    def lock(self, shelves: Shelves) -> None:
        """Hands in the stock rows, locked by now."""
        self._stock = Stock(shelves)

    async def decide(self, kept: Sequence[Incoming]) -> list[Verdict]:
        """A verdict for each message, in the same order."""
        if self._context.outside is None:
            return [self._settle(incoming) for incoming in kept]
        verdicts: dict[int, Verdict] = {}

        async def one_key(numbers: list[int]) -> None:
            for number in numbers:
                verdicts[number] = await self._settle_outside(kept[number])

        by_key: dict[str, list[int]] = {}
        for number, incoming in enumerate(kept):
            by_key.setdefault(incoming.key, []).append(number)
        await asyncio.gather(*(one_key(numbers) for numbers in by_key.values()))
        return [verdicts[number] for number in range(len(kept))]

    def _settle(self, incoming: Incoming) -> Verdict:
        early = self._without_deciding(incoming)
        return early or self._decided(incoming, incoming.command)

    async def _settle_outside(self, incoming: Incoming) -> Verdict:
        early = self._without_deciding(incoming)
        if early is not None:
            return early
        outside, command = self._context.outside, incoming.command
        assert outside is not None
        assert command is not None
        try:
            request = outside.ask(command, self._seen(command), text_of(incoming.id))
            if request is None:
                return self._decided(incoming, command)
            answer = await outside.perform(request)
        except Exception as error:  # a bug parks its message, never the partition
            return self._park(incoming, "cannot_ask", repr(error))
        return self._decided(incoming, outside.answered(command, request, answer, self._now))

    def _without_deciding(self, incoming: Incoming) -> Verdict | None:
        if incoming.parked is None and incoming.key in self.parked_keys:
            return self._park(incoming, BEHIND, "an earlier message of this key is parked")
        if incoming.problem is not None:
            return self._park(incoming, *incoming.problem)
        if incoming.is_timer and incoming.id not in self._armed:
            return Verdict(outcome=NewOutcome(incoming.id, "noop", "not_armed", None, None))
        return None

    def _decided(self, incoming: Incoming, wish: Any) -> Verdict:
        command = incoming.command
        assert command is not None
        held = self._held(command.stream)
        try:
            if self._stock is None:
                events, state = self._fold(wish, self._seen(command))
            else:
                events, state = self._stock.decide(self._context.decider, wish, held.state)
        except Refused as refusal:
            detail = msgspec.json.encode(refusal.details, enc_hook=str).decode()
            verdict = Verdict(
                outcome=NewOutcome(incoming.id, "refused", refusal.code, None, detail)
            )
        except Exception as error:  # a bug parks its message, never the partition
            return self._park(incoming, "cannot_decide", repr(error))
        else:
            verdict = self._record(incoming, events, command.stream, replace(held, state=state))
        self._end_timer(incoming, verdict)
        return verdict

    def _fold(self, wish: Any, state: Any) -> tuple[list[Event], Any]:
        decider = self._context.decider
        events = decider.decide(wish, state)
        for event in events:
            state = decider.evolve(state, event)
        return events, state

    def _record(
        self, incoming: Incoming, events: Sequence[Event], stream: str, held: Held
    ) -> Verdict:
        try:
            return self._recorded(incoming, events, stream, held)
        except Exception as error:  # half of it may stand in this batch: begin again without it
            incoming.give_up("cannot_record", repr(error))
            raise Undecidable(repr(error)) from error

    def _recorded(
        self, incoming: Incoming, events: Sequence[Event], stream: str, held: Held
    ) -> Verdict:
        verdict = Verdict()
        if not events:
            verdict.outcome = NewOutcome(incoming.id, "noop", None, None, None)
            return verdict
        message = incoming.message
        assert message is not None
        from_outside = message.source != RELAY and not incoming.is_timer
        occurred = min(message.time, self._now) if from_outside else self._now
        first: int | None = None
        for number, event in enumerate(events):
            id = derive(self._milliseconds, f"event|{text_of(incoming.id)}|{number}")
            own = event.stream == stream and not self._is_shared(stream)
            version, head = (held.version, held.head) if own else self._shared_head(event)
            data = encode(event)
            version += 1
            head = link(
                head, event.stream, version, event.type, id, occurred, self._now,
                incoming.correlation, incoming.id, message.source, False, data,
            )  # fmt: skip
            verdict.events.append(
                NewEvent(
                    event.stream, version, event.type, id, occurred, self._now,
                    incoming.correlation, incoming.id, message.source, False,
                    data.decode(), head,
                )
            )  # fmt: skip
            if own:
                held = replace(held, version=version, head=head)
            else:
                self._move_shared_head(event, version, head)
            first = version if first is None else first
            held = self._plan(verdict, incoming, event, id, held)
        if not self._is_shared(stream):
            self._fresh[stream] = held
        verdict.outcome = NewOutcome(incoming.id, "applied", None, first, None)
        return verdict

    def _plan(
        self, verdict: Verdict, incoming: Incoming, event: Event, id: UUID, held: Held
    ) -> Held:
        """Arms and disarms what follows from a fact; all timers are of the command's stream."""
        armed = held.armed
        for deadline in deadlines(event, self._now, self._periods):
            if isinstance(deadline, Disarm):
                if armed is None or deadline.name in armed:
                    self._disarm(verdict, (deadline.stream, deadline.name))
                    armed = None if armed is None else armed - {deadline.name}
                continue
            command = deadline.command
            key = (command.stream, deadline.name)
            self._disarm(verdict, key)
            due = int(deadline.due_at.timestamp() * 1000)
            timer_id = derive(due, f"timer|{text_of(id)}|{deadline.name}")
            verdict.timers[key] = NewTimer(
                *key, timer_id, deadline.due_at, command.kind, command.key,
                command.context, incoming.correlation, id, encode(command).decode(),
            )  # fmt: skip
            armed = None if armed is None else armed | {deadline.name}
        return held if armed is held.armed else replace(held, armed=armed)

    def _end_timer(self, incoming: Incoming, verdict: Verdict) -> None:
        if incoming.is_timer:
            key = self._known.armed[incoming.id]
            self._armed.pop(incoming.id, None)
            verdict.timers.setdefault(key, None)

    def _disarm(self, verdict: Verdict, key: TimerKey) -> None:
        verdict.timers[key] = None
        for id in [id for id, armed in self._armed.items() if armed == key]:
            del self._armed[id]

    def _park(self, incoming: Incoming, cause: str, error: str) -> Verdict:
        self.parked_keys.add(incoming.key)
        row = NewParked(
            self._context.processor, self._context.topic, incoming.partition, incoming.key,
            incoming.id, incoming.kind, cause, error.replace("\x00", "�")[:2000],
            dump_headers(incoming.headers), incoming.body, self._now,
        )  # fmt: skip
        outcome = NewOutcome(incoming.id, "parked", cause, None, None)
        return Verdict(outcome=outcome, parked=row)

    def _seen(self, command: Command) -> Any:
        state = self._held(command.stream).state
        return self._context.seen(command, state, lambda stream: self._held(stream).state)

    def _is_shared(self, stream: str) -> bool:
        return self._stock is not None and stream.startswith("stock-")

    def _held(self, stream: str) -> Held:
        if self._is_shared(stream):
            return Held(self._memory.initial, 0, b"")  # its state are the locked rows
        return self._fresh.get(stream) or self._memory.get(stream)

    def _shared_head(self, event: Event) -> tuple[int, bytes]:
        assert self._stock is not None, f"{event.type} is not of the command's stream"
        return self._stock.head(event.stream)

    def _move_shared_head(self, event: Event, version: int, head: bytes) -> None:
        assert self._stock is not None
        self._stock.move_head(event.stream, version, head)

    def timer_of(self, incoming: Incoming) -> TimerKey | None:
        """The row of an armed timer, when the message is one."""
        return self._armed.get(incoming.id) if incoming.is_timer else None

    def written(self, verdicts: Sequence[Verdict], steps: list[Step]) -> Decided:
        """All verdicts as what one transaction writes."""
        decided = Decided(self._context.processor, self._context.topic, steps)
        timers: dict[TimerKey, NewTimer | None] = {}
        for verdict in verdicts:
            decided.events += verdict.events
            if verdict.outcome is not None:
                decided.outcomes.append(verdict.outcome)
            if verdict.parked is not None:
                decided.parked.append(verdict.parked)
            timers |= verdict.timers
        decided.ended = sorted(key for key, timer in timers.items() if timer is None)
        decided.armed = [timer for _, timer in sorted(timers.items()) if timer is not None]
        decided.outcomes.sort(key=attrgetter("command_id.int"))  # the order of locks (PROTOCOL 5)
        decided.sweep = bool(self.gaps)
        if self._stock is not None:
            decided.stock, decided.shelves = self._stock.changed()
        return decided

    def remember(self) -> None:
        """After the commit: what was decided is true now."""
        for stream, held in self._fresh.items():
            self._memory.keep(stream, held)
        self._memory.trim()
