"""Relay, sweeper and the topic between them and the workers (clauses 8 and 9)."""

from collections.abc import Iterator

from .protections import Protections
from .world import Checkpoint, Fact, Record, Relay, World, done_point, partition_of, put, suffer

Steps = Iterator[tuple[str, World]]


def relay_steps(world: World, log: tuple[Fact, ...], rules: Protections) -> Steps:
    for name, relay in enumerate(world.relays):
        if relay is None:
            yield from _starts(world, name)
        else:
            yield from _sends(world, log, name, relay)
            yield from _acknowledged(world, name, relay)
            yield from _writes_checkpoint(world, rules, name, relay)
            for after in suffer(world, "relay_crash"):
                yield f"relay {name} crashes", _ends(after, name, relay)
            if rules.sweeper and world.holder == name and not relay.flying:
                yield from _sweeps(world, log, rules, name, relay)
    if world.late_sends:
        late, *others = world.late_sends
        rest = world._replace(late_sends=tuple(others))
        yield f"a dead relay's send of {late.fact} lands late", _lands(rest, late)
        yield f"a dead relay's send of {late.fact} is lost", rest


def topic_steps(world: World) -> Steps:
    """Records are deleted unread, or the topic is deleted and created under stopped workers."""
    for after in suffer(world, "records_lost"):
        for partition, records in enumerate(world.topic):
            for end in range(1, len(records) + 1):
                if records[end - 1] is not None:
                    kept = (*(None for _ in range(end)), *records[end:])
                    yield (
                        f"{end} records of partition {partition} are deleted",
                        after._replace(topic=put(world.topic, partition, kept)),
                    )
            if records and all(worker is None for worker in world.workers):
                anew = after._replace(topic=put(world.topic, partition, ()))
                yield f"partition {partition} is created anew, the group's offset stays", anew
                forgotten = anew._replace(group=put(world.group, partition, 0))
                yield f"partition {partition} is created anew", forgotten


def _starts(world: World, name: int) -> Steps:
    """A second one starts while the first has not noticed that its lock is gone."""
    lives = (world,) if world.holder is None else suffer(world, "second_relay")
    for life in lives:
        relay = Relay(world.checkpoint.at, world.checkpoint.last)
        started = life._replace(relays=put(world.relays, name, relay), holder=name)
        yield f"relay {name} starts at fact {relay.at}", started


def _ends(world: World, name: int, relay: Relay) -> World:
    """What was on its way may still land."""
    return world._replace(
        relays=put(world.relays, name, None),
        holder=None if world.holder == name else world.holder,
        late_sends=world.late_sends + relay.flying,
    )


def _sends(world: World, log: tuple[Fact, ...], name: int, relay: Relay) -> Steps:
    """In log order, one batch a partition in flight."""
    if relay.at == len(log):
        return
    partition = partition_of(world, log[relay.at])
    if any(record.partition == partition for record in relay.flying):
        return
    prev = relay.last[partition] if log[relay.at].chained else None
    record = Record(relay.at, partition, prev)
    last = put(relay.last, partition, relay.at)
    sent = Relay(relay.at + 1, last, (*relay.flying, record))
    yield f"relay {name} sends {record.fact}", world._replace(relays=put(world.relays, name, sent))


def _acknowledged(world: World, name: int, relay: Relay) -> Steps:
    for record in relay.flying:
        flying = tuple(other for other in relay.flying if other != record)
        acknowledged = put(world.relays, name, relay._replace(flying=flying))
        landed = _lands(world._replace(relays=acknowledged), record)
        yield f"relay {name}'s send of {record.fact} lands", landed


def _lands(world: World, record: Record) -> World:
    records = (*world.topic[record.partition], record)
    return world._replace(topic=put(world.topic, record.partition, records))


def _writes_checkpoint(world: World, rules: Protections, name: int, relay: Relay) -> Steps:
    checkpoint = Checkpoint(relay.at, relay.last)
    if checkpoint == world.checkpoint or (relay.flying and rules.checkpoint_after_acks):
        return
    if world.holder == name or not rules.checkpoint_compared:
        yield f"relay {name} writes checkpoint {relay.at}", world._replace(checkpoint=checkpoint)
    else:
        yield f"relay {name} sees that its lock is gone", _ends(world, name, relay)


def _sweeps(
    world: World, log: tuple[Fact, ...], rules: Protections, name: int, relay: Relay
) -> Steps:
    """Set the relay back to a fact without outcome, in a partition that was read to its end."""
    missing = [place for place in range(relay.at) if not world.outcomes[place]]
    if not any(_read_to_end(world, partition_of(world, log[place])) for place in missing):
        return
    if not world.sweeps:
        return
    targets = {done_point(world)} if rules.set_back_to_done_point else set(missing)
    for target in sorted(targets):
        back = Checkpoint(target, tuple(None for _ in relay.last))
        yield (
            f"sweeper sets relay {name} back to {target}",
            world._replace(
                sweeps=world.sweeps - 1,
                checkpoint=back,
                relays=put(world.relays, name, Relay(*back)),
            ),
        )


def _read_to_end(world: World, partition: int) -> bool:
    """A lag is not a loss."""
    owner = world.owner[partition]
    worker = None if owner is None else world.workers[owner]
    return (
        worker is not None
        and worker.fence is not None
        and worker.batch is None
        and worker.at >= len(world.topic[partition])
    )
