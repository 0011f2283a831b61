# pyright: basic
"""The one module that knows Faust. It keeps Faust's traps (docs/adr) away from the engine."""

import asyncio
import contextlib
import functools
import inspect
import logging
import os
import types
from collections.abc import Mapping
from typing import Any

import faust
import uvloop
from aiokafka.errors import KafkaError
from faust.events import Event
from faust.sensors import Monitor
from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from mode.services import WaitResults
from mode.utils.futures import notify

from bus.clients import METADATA_AGE_MS
from bus.security import security
from streams.beginning import until_kafka_answers
from streams.engine import Engine
from streams.lagging import follow
from streams.lifecycle import NEEDS_A_PERSON, CannotGoOn, beat, ready, stopping
from streams.settings import Settings

log = logging.getLogger("quire.faust")
EXIT_UNFINISHED = 75
EXIT_BROKEN = 70
LOOK_SECONDS = 2.0


class _Silent(Monitor):
    """Faust's monitor costs a fifth of the loop and nobody reads it."""

    def _nothing(self, *args, **kwargs):
        return None

    on_message_in = on_message_out = on_stream_event_in = on_stream_event_out = _nothing
    on_topic_buffer_full = on_table_get = on_table_set = on_table_del = _nothing
    on_commit_initiated = on_commit_completed = on_send_initiated = on_send_completed = _nothing
    on_send_error = track_tp_end_offset = track_message = _nothing


class _Raw(faust.Schema):
    """Hands keys and values on as they are; Faust's codecs would copy both through four calls."""

    def compile(self, app, **_):
        async def decode(message, *, propagate=False):
            return Event(app, message.key, message.value, None, message)

        return decode


@types.coroutine
def _go_on(coroutine, waits_for):
    """The rest of a coroutine that was stepped by hand and waits for something."""
    while True:
        try:
            answer = yield waits_for
        except BaseException as thrown:
            step = functools.partial(coroutine.throw, thrown)
        else:
            step = functools.partial(coroutine.send, answer)
        try:
            waits_for = step()
        except StopIteration as end:
            return end.value


async def _finish(coroutine, waits_for):
    return await _go_on(coroutine, waits_for)


async def _or_end(work):
    """Faust would only log it, and go on without us."""
    try:
        return await work
    except CannotGoOn as reason:
        log.critical("stopped for good: %s", reason)
        os._exit(NEEDS_A_PERSON)
    except Exception:
        log.critical("the agent broke; its next owner begins where it was", exc_info=True)
        os._exit(EXIT_BROKEN)


class FencedConsumer(Consumer):
    """Begins where the engine says, not where the group was committed (PROTOCOL 1)."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.breath = self.app.breath  # pyright: ignore[reportAttributeAccessIssue]
        self.brought = False
        self.done = asyncio.Event()

    async def _wait_next_records(self, timeout):  # noqa: ASYNC109 Faust's own signature
        """A message takes Faust ten times as long as reading a record. So all that a poll brings
        goes through it as one message, whose value are the records by partition.

        The next poll waits until this one is done, and a little for company: the batch is larger
        then, and Kafka is asked less often.
        """
        if self.brought:
            with contextlib.suppress(TimeoutError):  # after a rebalance nobody has to finish it
                async with asyncio.timeout(timeout):
                    await self.done.wait()
            await asyncio.sleep(self.breath)
        records, active = await super()._wait_next_records(timeout)
        poll = {tp: run for tp, run in (records or {}).items() if run}
        self.brought = bool(poll)
        self.done.clear()
        return {tp: [poll] for tp in list(poll)[:1]}, active

    def _to_message(self, tp, record):
        """A poll as a message at the place of the last record of its first partition."""
        return ConsumerMessage(
            tp.topic, tp.partition, record[tp][-1].offset, 0, 0, None, None, record, None, tp=tp,
            generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

    def ack(self, message) -> bool:
        """All that the poll brought is done."""
        message.acked = True
        self._unacked_messages.discard(message)
        poll: Any = message.value
        for tp, run in poll.items():
            self._acked[tp].append(run[-1].offset)
        self.done.set()
        notify(self._waiting_for_ack)
        return True

    async def _add_gap(self, tp, offset_from, offset_to) -> None:
        """No offset is missing between two polls."""

    def _new_offset(self, tp):
        """Polls are acknowledged in their order, so all is done up to the last one's end."""
        acked = self._acked[tp]
        if not acked:
            return None
        last = max(acked)
        acked.clear()
        return last + 1

    def highwater(self, tp) -> int:
        return 0  # asked for each message, wanted by tables only

    async def wait_first(self, *coros, timeout=None):  # noqa: ASYNC109 Faust's own signature
        """Faust waits so for each message to be put on its queue, with four tasks. Nearly always
        there is room, and one step by hand is all that it takes.
        Any other wait, for a rebalance to end for instance, is Faust's own."""
        if len(coros) != 2 or not inspect.iscoroutine(coros[0]):
            return await super().wait_first(*coros, timeout=timeout)
        delivering: Any = coros[0]
        suspended: Any = coros[1]
        try:
            waits_for = delivering.send(None)
        except StopIteration as end:
            suspended.close()
            return WaitResults([delivering], [end.value], False)
        return await super().wait_first(_finish(delivering, waits_for), suspended, timeout=timeout)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        committed = await super().seek_to_committed()
        offsets = {tp.partition: offset for tp, offset in committed.items()}
        engine: Engine = self.app.engine  # pyright: ignore[reportAttributeAccessIssue]
        partitions = self._thread._ensure_consumer().partitions_for_topic(engine.context.topic)
        starts = await _or_end(engine.own(offsets, count=len(partitions or ())))
        seeks = {tp: starts[tp.partition] for tp in committed}
        await self._thread.seek_wait(seeks)
        return seeks


class _App(faust.App):
    engine: Engine
    breath: float

    def _new_transport(self):
        transport = super()._new_transport()
        transport.Consumer = FencedConsumer  # pyright: ignore[reportAttributeAccessIssue]
        return transport


def credentials():
    """How Faust's consumer signs in: as all our clients do."""
    told = security()
    if told.username:
        return faust.SASLCredentials(
            username=told.username, password=told.password.get_secret_value(),
            mechanism=told.mechanism, ssl_context=told.context,
        )  # fmt: skip
    return faust.SSLCredentials(told.context) if told.context is not None else None


def _app(engine: Engine, settings: Settings) -> _App:
    context = engine.context
    app = _App(
        context.processor,
        broker=f"aiokafka://{settings.kafka}",
        broker_credentials=credentials(),
        key_serializer="raw",
        value_serializer="raw",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        worker_redirect_stdouts=False,
        datadir=settings.state_dir / "faust" / context.name,
        broker_commit_interval=1.0,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=max(1, settings.session_timeout_seconds / 4),
        broker_max_poll_interval=600,
        consumer_auto_offset_reset="earliest",
        # A member with a name takes its partitions up again at once after kill -9.
        consumer_group_instance_id=settings.instance or None,
        consumer_metadata_max_age_ms=METADATA_AGE_MS,
        broker_max_poll_records=min(settings.batch_size, context.most),
        stream_buffer_maxsize=4,
        stream_wait_empty=True,
        Monitor=_Silent,
        loghandlers=[],
    )
    app.engine = engine
    app.breath = settings.batch_wait_seconds

    async def on_revoked(app, revoked, **_):
        engine.disown({tp.partition for tp in revoked})

    app.on_partitions_revoked.connect(on_revoked, weak=False)  # pyright: ignore[reportArgumentType]

    @app.agent(app.topic(context.topic, schema=_Raw()), name=context.processor, concurrency=1)
    async def agent(stream):
        async for [poll] in stream.noack_take(1, within=1.0):
            records = [record for run in poll.value.values() for record in run]
            await _or_end(engine.handle(records))
            await _or_end(stream.ack(poll))  # committed to Postgres, so Kafka may move on

    return app


async def _beat_while_it_moves(app: _App, engine: Engine) -> None:
    """A worker that has records to read and tries none of them stands still (`lifecycle.beat`).
    One that catches up moves, and so does one that waits for Kafka or Postgres."""
    turns = -1
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        done = engine.next_offsets
        ends = {}
        if done and engine.turns == turns:
            topic = engine.context.topic
            with contextlib.suppress(KafkaError):  # not reachable, which ending us would not mend
                ends = await app.consumer.highwaters(*(TP(topic, p) for p in done))
        if engine.turns != turns or all(end <= done[tp.partition] for tp, end in ends.items()):
            beat()
        turns = engine.turns


async def run(engine: Engine, settings: Settings) -> None:
    """Runs an agent until the process is told to stop.

    A batch that cannot finish within `drain_seconds` is left to the next owner: the process ends
    with status 75, since Faust would wait for ever.
    """
    # Faust's consumer has a thread and a loop of its own, which it makes by the policy.
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    (settings.state_dir / "faust").mkdir(parents=True, exist_ok=True)
    app = _app(engine, settings)
    stop = stopping()
    await until_kafka_answers(settings.kafka, [engine.context.topic], stop)
    if stop.is_set():
        return
    stopped = asyncio.ensure_future(stop.wait())
    app.finalize()
    starting = asyncio.ensure_future(app.start())
    await asyncio.wait({starting, stopped}, return_when="FIRST_COMPLETED")
    if not starting.done():  # nothing was decided yet, and Faust cannot be stopped half started
        os._exit(0)
    starting.result()
    ready()
    follow(engine, settings.kafka)
    heart = asyncio.create_task(_beat_while_it_moves(app, engine))
    crashed = asyncio.ensure_future(app.wait_until_stopped())
    await asyncio.wait({stopped, crashed}, return_when="FIRST_COMPLETED")
    heart.cancel()
    _, late = await asyncio.wait(
        {asyncio.ensure_future(app.stop())}, timeout=settings.drain_seconds
    )
    if late:
        log.warning("the batch in hand did not finish in time; its next owner begins with it")
        os._exit(EXIT_UNFINISHED)
    await engine.close()
    if not stop.is_set():
        log.error("Faust stopped by itself: %s", app.crash_reason)
        os._exit(1)
