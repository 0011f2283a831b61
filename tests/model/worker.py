"""The owner of a partition: fence, cache, decision, commit, crashes (clauses 1, 2, 5, 6)."""

from collections.abc import Iterator

from .protections import Protections
from .world import Batch, Decision, Fact, Fence, Worker, World, put, suffer

Steps = Iterator[tuple[str, World]]


def worker_steps(
    world: World, log: tuple[Fact, ...], homes: tuple[int, ...], size: int, rules: Protections
) -> Steps:
    for name, partition in enumerate(homes):
        worker = world.workers[name]
        if worker is None:
            yield from _is_assigned(world, rules, name, partition)
            continue
        if worker.fence is None:
            read = _reads_fence(world, rules, worker, partition)
            yield f"worker {name} reads the fence", _with(world, name, read)
        elif worker.cache is None:
            yield f"worker {name} loads states", _with(world, name, _loads_states(world, worker))
        elif worker.batch is None:
            yield from _decides(world, log, rules, name, partition, size)
        else:
            yield from _commits(world, log, rules, name, worker, worker.batch)
        for after in suffer(world, "worker_crash"):
            yield f"worker {name} crashes", _lets_go(after, name, partition)
    yield from _late_commits(world, log, rules)
    for after in suffer(world, "group_ahead"):
        for partition, records in enumerate(world.topic):
            if world.group[partition] < len(records):
                ahead = put(world.group, partition, len(records))
                yield f"the group of {partition} is committed ahead", after._replace(group=ahead)


def _with(world: World, name: int, worker: Worker | None) -> World:
    return world._replace(workers=put(world.workers, name, worker))


def _lets_go(world: World, name: int, partition: int) -> World:
    """Drop everything; who still owns the partition is assigned it again."""
    owner = None if world.owner[partition] == name else world.owner[partition]
    return _with(world._replace(owner=put(world.owner, partition, owner)), name, None)


def _is_assigned(world: World, rules: Protections, name: int, partition: int) -> Steps:
    """A takeover leaves a zombie: the owner before has not noticed."""
    lives = (world,) if world.owner[partition] is None else suffer(world, "takeover")
    for life in lives:
        assigned = life._replace(owner=put(world.owner, partition, name))
        if rules.fence_before_states:
            worker = _reads_fence(world, rules, Worker(), partition)
            yield f"worker {name} is assigned and reads the fence", _with(assigned, name, worker)
        else:
            worker = _loads_states(world, Worker())
            yield f"worker {name} is assigned and loads states", _with(assigned, name, worker)


def _reads_fence(world: World, rules: Protections, worker: Worker, partition: int) -> Worker:
    fence = world.fences[partition]
    group = world.group[partition]
    begin = min(group, fence.offset) if rules.begin_at_smaller else group
    out_of_range = begin > len(world.topic[partition])
    return worker._replace(fence=fence.version, at=0 if out_of_range else begin)


def _loads_states(world: World, worker: Worker) -> Worker:
    return worker._replace(cache=tuple(_last(stream) for stream in world.streams))


def _last(stream: tuple[tuple[int, int], ...]) -> int:
    return stream[-1][0] if stream else 0


def _decides(
    world: World,
    log: tuple[Fact, ...],
    rules: Protections,
    name: int,
    partition: int,
    size: int,
) -> Steps:
    """Take all that is there, up to `size`; what is dropped or left moves the offset as well."""
    worker = world.workers[name]
    assert worker is not None
    assert worker.fence is not None
    offset = min(worker.at + size, len(world.topic[partition]))
    if offset <= worker.at:
        return
    decisions = tuple(_decisions(world, log, rules, worker, partition, offset))
    batch = Batch(partition, worker.fence, offset, decisions)
    taken = _with(world, name, worker._replace(batch=batch))
    if not rules.ack_after_commit and world.owner[partition] == name:
        taken = taken._replace(group=put(world.group, partition, offset))
    said = ", ".join(f"{fact} {kind}" for fact, kind, _ in decisions) or "nothing to do"
    yield f"worker {name} decides up to offset {offset}: {said}", taken


def _decisions(
    world: World,
    log: tuple[Fact, ...],
    rules: Protections,
    worker: Worker,
    partition: int,
    offset: int,
) -> Iterator[Decision]:
    versions = list(worker.cache or ())
    met: set[int] = set()
    for record in world.topic[partition][worker.at : offset]:
        if record is None:
            continue
        fact = log[record.fact]
        if rules.outcome_drops_repeats and world.outcomes[record.fact]:
            continue
        if rules.batch_drops_repeats and record.fact in met:
            continue
        known = record.prev is None or bool(world.outcomes[record.prev]) or record.prev in met
        if rules.prev_checked and not known:
            continue  # left without a row: the sweeper will send it again
        met.add(record.fact)
        seen = versions[fact.key]
        if seen < fact.number - 1:
            yield Decision(record.fact, "refused", seen)
        else:
            yield Decision(record.fact, "applied", seen)
            versions[fact.key] += 1


def _commits(
    world: World,
    log: tuple[Fact, ...],
    rules: Protections,
    name: int,
    worker: Worker,
    batch: Batch,
) -> Steps:
    partition = batch.partition
    landed = _land(world, log, rules, batch)
    if landed is None:
        yield f"worker {name}'s commit is refused", _lets_go(world, name, partition)
    else:
        if world.owner[partition] == name:  # Kafka takes no offset from a zombie
            landed = landed._replace(group=put(world.group, partition, batch.offset))
        committed = _folded(log, worker)._replace(fence=batch.fence + 1, at=batch.offset)
        yield f"worker {name} commits", _with(landed, name, committed)
    for after in suffer(world, "lost_answer"):
        late = after._replace(late_batches=(*world.late_batches, batch))
        yield f"worker {name} gets no answer to its commit", _lets_go(late, name, partition)
    for after in suffer(world, "rollback"):
        kept = _lets_go(after, name, partition)
        if not rules.cache_after_commit:
            kept = _with(after, name, _folded(log, worker))
        yield f"worker {name}'s commit is rolled back", kept


def _folded(log: tuple[Fact, ...], worker: Worker) -> Worker:
    assert worker.cache is not None
    assert worker.batch is not None
    versions = list(worker.cache)
    for decision in worker.batch.decisions:
        versions[log[decision.fact].key] += decision.kind == "applied"
    return worker._replace(cache=tuple(versions), batch=None)


def _late_commits(world: World, log: tuple[Fact, ...], rules: Protections) -> Steps:
    for batch in world.late_batches:
        others = tuple(other for other in world.late_batches if other is not batch)
        rest = world._replace(late_batches=others)
        yield "a commit without answer never lands", rest
        if (landed := _land(rest, log, rules, batch)) is not None:
            yield "a commit without answer lands late", landed


def _land(world: World, log: tuple[Fact, ...], rules: Protections, batch: Batch) -> World | None:
    """The transaction, all or nothing; None when the database refuses it."""
    fence = world.fences[batch.partition]
    if rules.fence_compared and fence.version != batch.fence:
        return None
    streams, outcomes, stale = list(world.streams), list(world.outcomes), world.stale
    for fact, kind, seen in batch.decisions:
        if rules.outcome_drops_repeats and outcomes[fact]:
            return None
        key = log[fact].key
        last = _last(streams[key])
        if kind == "applied":
            clash = any(version == seen + 1 for version, _ in streams[key])
            if clash or (rules.version_is_next and seen != last):
                return None
            streams[key] = (*streams[key], (seen + 1, fact))
        outcomes[fact] = (*outcomes[fact], kind)
        stale = stale or seen != last
    after = Fence(fence.version + 1, batch.offset)
    return world._replace(
        fences=put(world.fences, batch.partition, after),
        streams=tuple(streams),
        outcomes=tuple(outcomes),
        stale=stale,
    )
