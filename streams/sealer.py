"""The sealer: signs the log run by run and publishes each seal as a witness."""

import asyncio
import logging

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bus.message import Message
from bus.publisher import KafkaPublisher, Publisher, PublishFailed
from domain.ids import derive
from gateways.clock import Clock, this_host
from store import checkpoints, seals
from store.connect import AsyncConnection, connect
from store.errors import Unavailable, translated
from store.sealkey import NoKey, signing_key
from store.seals import Seal
from streams import counting
from streams.lifecycle import CannotGoOn, beat, pause, ready, stopping
from streams.settings import Settings
from telemetry.registry import of_this_process

TOPIC = "quire.seals"
TYPE = "quire.seal.v1"
SOURCE = "quire/sealer"
PUBLISHED = "sealer"  # the checkpoint: the number of the last seal that Kafka has
_AGAIN = 1.0

log = logging.getLogger("quire.sealer")


async def run(settings: Settings) -> None:
    """Seal until SIGTERM."""
    try:
        key = signing_key(settings.state_dir, settings.seal_key.get_secret_value())
    except NoKey as wrong:
        raise CannotGoOn(str(wrong)) from wrong
    await sealer(settings, key, stopping())


async def sealer(
    settings: Settings, key: Ed25519PrivateKey, stop: asyncio.Event, clock: Clock = this_host
) -> None:
    """Live, and live again after each fault, until `stop` is set."""
    while not stop.is_set():
        try:
            with translated():
                await _one_life(settings, key, stop, clock)
        except (Unavailable, PublishFailed) as fault:
            counting.fault(fault)
            log.warning("begins again: %s", fault)
            beat()
            await pause(stop, _AGAIN)


async def _one_life(
    settings: Settings, key: Ed25519PrivateKey, stop: asyncio.Event, clock: Clock
) -> None:
    publisher = KafkaPublisher(settings.kafka)
    async with await connect(settings.postgres_dsn.get_secret_value(), name="quire-sealer") as conn:
        ready()
        while not await seals.take_turn(conn):
            counting.leads("sealer", now=False)
            beat()
            if await pause(stop, _AGAIN):
                return
        counting.leads("sealer", now=True)
        await publisher.start()
        try:
            done = False
            while not done:
                beat()
                await seal_all(conn, key, clock)
                await publish_all(conn, publisher)
                done = await pause(stop, settings.seal_every_seconds)
        finally:
            await publisher.stop()


async def seal_all(conn: AsyncConnection, key: Ed25519PrivateKey, clock: Clock = this_host) -> None:
    """Seal what is not sealed yet, run by run."""
    made = of_this_process().counter("quire_sealer_seals_total")
    while (seal := await seals.seal_next(conn, key, clock())) is not None:
        beat()
        made.inc()
        log.info("sealed %d to %d", seal.first_position, seal.last_position)


async def publish_all(conn: AsyncConnection, publisher: Publisher) -> None:
    """Publish the seals that Kafka does not have; after a crash one may be there twice."""
    mark = await checkpoints.read(conn, PUBLISHED)
    number = mark.position
    while batch := await seals.after(conn, number):
        for seal in batch:
            await publisher.publish(TOPIC, message_of(seal))
            await checkpoints.move(conn, PUBLISHED, number, seal.number)
            number = seal.number


def message_of(seal: Seal) -> Message:
    """The witness: all that is signed, and the signature."""
    data = {
        "number": seal.number,
        "first_position": seal.first_position,
        "last_position": seal.last_position,
        "events": seal.events,
        "root": seal.root.hex(),
        "previous": seal.previous.hex(),
        "leaves": seal.leaves_digest.hex(),
        "sealed_at": seal.sealed_at,
        "signature": seal.signature.hex(),
    }
    return Message(
        id=derive(int(seal.sealed_at.timestamp() * 1000), f"seal|{seal.number}"),
        type=TYPE,
        source=SOURCE,
        time=seal.sealed_at,
        key="seal",
        subject=f"seal-{seal.number}",
        correlation=f"seal-{seal.number}",
        causation=None,
        data=msgspec.json.encode(data),
    )
