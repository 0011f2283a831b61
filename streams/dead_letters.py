"""The dead letters' agent: parks what nobody took, and posts it again when a person wants that.

Its rows hold no order up: each is a key of its own. They are sealed whole, for a partner's record
may have a contact in the clear.
"""

import asyncio
import logging
import re
from collections.abc import Mapping

from aiokafka.errors import KafkaError

from bus.clients import Taken
from bus.event import FAILURE, Event, read
from bus.publisher import PublishFailed
from bus.targets import Targets, failed_at, shown
from bus.topics import KafkaUnavailable
from domain.ids import derive
from gateways.clock import Clock, this_host
from store import dead_letters
from store.connect import AsyncConnection, connect
from store.dead_letters import PROCESSOR, Letter, Record
from store.errors import Stale, Unavailable, Unfit
from store.parked import NUDGE, Parked
from store.vault import CannotOpen, Vault, read_master_key
from streams import counting
from streams.consuming import consume, require_topics
from streams.lifecycle import beat, pause, stopping, together
from streams.posting import Poster
from streams.settings import Settings
from streams.source import DEAD_LETTERS
from telemetry.registry import of_this_process

LOOK_SECONDS = 5.0
PAUSE = 1.0
LONGEST = 200
CLEAR = ("id", "source", "type", *FAILURE[:2])
"""The attributes that stay readable beside the sealed record."""

_WORD = re.compile(r"[a-z0-9_.-]{1,60}")
FAULTS = (KafkaError, KafkaUnavailable, PublishFailed, Unavailable, Stale, OSError)

log = logging.getLogger("quire.dead-letters")


async def run(settings: Settings) -> None:
    """Park and redrive until SIGTERM."""
    await agent(settings, stopping())


async def agent(settings: Settings, stop: asyncio.Event, topic: str = DEAD_LETTERS) -> None:
    """Begin again after each fault, until `stop` is set."""
    master = read_master_key(
        settings.state_dir / "master.key", given=settings.master_key.get_secret_value()
    )
    while not stop.is_set():
        try:
            await require_topics(settings.kafka, [topic])
            await _one_life(settings, Vault(master), stop, topic)
        except FAULTS as fault:
            counting.fault(fault)
            log.warning("begins again: %r", fault)
            beat()
            await pause(stop, PAUSE)


async def _one_life(settings: Settings, vault: Vault, stop: asyncio.Event, topic: str) -> None:
    dsn = settings.postgres_dsn.get_secret_value()
    async with (
        await connect(dsn, name=PROCESSOR, index_only=True) as conn,
        await connect(dsn, name=f"{PROCESSOR} wishes") as second,
    ):
        wanted = asyncio.Event()
        parking = Parking(conn, vault, wanted)
        redriving = Redriving(second, vault, settings)
        await together(
            consume(settings, PROCESSOR, [topic], parking.take, stop),
            redriving.run(wanted),
        )


def count(result: str) -> None:
    """One letter more of which this became."""
    of_this_process().counter("quire_dead_letters_total").labels(result).inc()


class Parking:
    """Sets each letter aside, once."""

    def __init__(
        self,
        conn: AsyncConnection,
        vault: Vault,
        wanted: asyncio.Event,
        clock: Clock = this_host,
    ) -> None:
        self._clock = clock
        self._conn = conn
        self._vault = vault
        self._wanted = wanted
        self._turn = asyncio.Lock()

    async def take(self, record: Taken) -> None:
        """Return when it is parked; a nudge wakes who redrives."""
        if _is_nudge(record):
            self._wanted.set()
            return
        letter = letter_of(record)
        async with self._turn:  # one connection, one transaction at a time
            try:
                await dead_letters.park(self._conn, self._vault, letter, self._clock())
            except Stale:
                log.info("%s was here before", letter.key)
                return
            except Unfit:
                bare = letter._replace(kind="", error="", told=[])
                await dead_letters.park(self._conn, self._vault, bare, self._clock())
        count("parked")


class Redriving:
    """Does what a person wished for a letter."""

    def __init__(self, conn: AsyncConnection, vault: Vault, settings: Settings) -> None:
        self._conn = conn
        self._vault = vault
        self._targets = Targets(settings.redrive_targets)
        self._seconds = settings.source_timeout_seconds

    async def run(self, wanted: asyncio.Event) -> None:
        """Look when told to, and now and then."""
        while True:
            wanted.clear()
            while rows := await dead_letters.wished(self._conn):
                for row in rows:
                    await self._move(row)
            await pause(wanted, LOOK_SECONDS)

    async def _move(self, row: Parked) -> None:
        problem = await self._posted(row) if row.wish == "redrive" else _not_known(row)
        if problem is None:
            await dead_letters.leaves(self._conn, row)
            count("redriven" if row.wish == "redrive" else "discarded")
            log.info("%s: %s done", row.key, row.wish)
        else:
            await dead_letters.stays(self._conn, row, *problem)
            count("failed")
            log.warning("%s stays parked: %s", row.key, problem[0])

    async def _posted(self, row: Parked) -> tuple[str, str] | None:
        """(cause, error) when it was not taken again."""
        try:
            record = await dead_letters.open_letter(self._conn, self._vault, row)
        except CannotOpen:
            return "cannot_open", "its key is gone, or was wrapped by another master key"
        event = read(record.headers, record.value)
        refused = self._targets.refusal(event)
        if event is None or refused is not None:
            return refused
        address = failed_at(event)
        poster = Poster(address, timeout_seconds=self._seconds)
        try:
            failure = await poster.post(event.without(FAILURE))
        finally:
            poster.close()
        if failure is None:
            return None
        return _cause(failure.reason), _told(failure.code, failure.reason, address)


def letter_of(record: Taken) -> Letter:
    """What is told of a record, whatever it is; all of it is in `record`."""
    headers = [(name, text or b"") for name, text in record.headers]
    event = read(headers, record.value)
    told: Mapping[str, str] = event.attributes if event else {}
    shown = {**told, FAILURE[0]: _shown(told[FAILURE[0]])} if FAILURE[0] in told else told
    clear = [(f"ce_{name}", shown[name][:LONGEST].encode()) for name in CLEAR if name in shown]
    reason = told.get(FAILURE[3], "") if event else "not_an_event"
    return Letter(
        id=derive(max(0, record.timestamp), f"record|{record.topic}|{_place(record)}"),
        topic=record.topic,
        partition=record.partition,
        key=_key(event, record),
        kind=_text(told.get("type", "")),
        cause=_cause(reason),
        error=_told(told.get(FAILURE[1], "no code"), reason, told.get(FAILURE[0], "")),
        told=clear,
        record=Record(record.key or b"", headers, record.value or b""),
    )


def _is_nudge(record: Taken) -> bool:
    """A partner's event that only calls itself so was somewhere before it died."""
    names = [name for name, _ in record.headers]
    return ("ce_type", NUDGE.encode()) in record.headers and f"ce_{FAILURE[0]}" not in names


def _key(event: Event | None, record: Taken) -> str:
    """The place where it stood before it died, if it says so: a key that no other letter has."""
    here = f"{record.topic}/{_place(record)}"
    if event is None:
        return here
    told = event.attributes
    topic = told["source"].rpartition("#")[2] if told["type"].startswith("dev.knative") else ""
    return f"{here} {_text(topic or told['source'])}"


def _place(record: Taken) -> str:
    return f"{record.partition}/{record.offset}"


def _cause(reason: str) -> str:
    """A word for machines; anything else may be what a person wrote."""
    return reason if _WORD.fullmatch(reason) else "not_delivered"


def _told(code: object, reason: str, address: str) -> str:
    why = _cause(reason)
    return _text(f"{code} {why}, from {_shown(address) or 'an address that is not named'}")


def _shown(address: str) -> str:
    """Without what may be secret in an address."""
    return _text(shown(address))


def _not_known(row: Parked) -> tuple[str, str] | None:
    return (
        None if row.wish == "discard" else ("not_editable", "what a partner sent stays as it was")
    )


def _text(text: str) -> str:
    """As it can be stored and shown."""
    return "".join(filter(str.isprintable, text))[:LONGEST]
