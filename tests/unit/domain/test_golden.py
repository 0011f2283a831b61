"""What each fact causes, and every name on the wire, are fixed: a change must be meant."""

import json
import types
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from domain.catalog import COMMANDS, CONTEXTS, EVENTS, KINDS, TOPICS
from domain.deadlines import CHANGES, Periods, deadlines
from domain.fulfilment import REACTIONS, react
from domain.message import Command, Event
from domain.order.decider import RULES
from domain.order.evolve import CHANGES as ORDER_CHANGES
from domain.order.messages import OrderPlaced
from store.codec import decode_command, decode_event, encode

GOLDEN = Path(__file__).parent / "golden"
AT = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)


def example(kind: Any, name: str = "", *, bare: bool = False) -> Any:
    """One value of a type, the same each time; `bare` leaves out what has a default."""
    plain = {str: f"{name}-1", int: 7, bool: True, datetime: AT}
    origin = get_origin(kind)
    if kind in plain:
        return plain[kind]
    if origin is Literal:
        return get_args(kind)[-1]
    if origin is tuple:
        return (example(get_args(kind)[0], name),)
    if origin is dict:
        return {"key": "value"}
    if origin in (Union, types.UnionType):
        return example(next(one for one in get_args(kind) if one is not type(None)), name)
    if origin is None and hasattr(kind, "__value__"):
        return example(kind.__value__, name)
    hints = get_type_hints(kind)
    optional = {one.name for one in msgspec.structs.fields(kind) if not one.required}
    left_out = optional if bare else set[str]()
    return kind(
        **{one: example(hints[one], one) for one in kind.__struct_fields__ if one not in left_out}
    )


def corpus() -> list[Event]:
    return [example(kind) for _, kind in sorted(EVENTS.items())]


def named() -> dict[str, Event]:
    """The corpus, and each fact once more without what has a default, where that differs."""
    bare = {f"{kind}, bare": example(one, bare=True) for kind, one in sorted(EVENTS.items())}
    full = {event.type: event for event in corpus()}
    return {**full, **{name: one for name, one in bare.items() if one != full[one.type]}}


def told(message: Any) -> Any:
    return msgspec.to_builtins(message)


def reactions() -> dict[str, Any]:
    return {
        name: [
            {
                "kind": one.command.kind,
                "key": one.command.key,
                "stream": one.command.stream,
                "part": one.part,
                "command": told(one.command),
                **counts_as(one.command),
            }
            for one in react(event)
        ]
        for name, event in named().items()
    }


def counts_as(command: Command) -> dict[str, str]:
    """A name of its own under which a command counts: as fixed as the kind."""
    return {} if command.counts_as == command.kind else {"counts_as": command.counts_as}


def alarms() -> dict[str, Any]:
    return {
        name: [told(one) for one in deadlines(event, AT, Periods())]
        for name, event in named().items()
    }


def shapes() -> dict[str, Any]:
    commands = {kind: told(example(one)) for kind, one in sorted(COMMANDS.items())}
    return {"commands": commands, "events": {event.type: told(event) for event in corpus()}}


@pytest.mark.parametrize(
    ("name", "found"),
    [("reactions", reactions()), ("deadlines", alarms()), ("shapes", shapes())],
    ids=["reactions", "deadlines", "shapes"],
)
def test_it_is_as_it_was_written_down(name: str, found: dict[str, Any]) -> None:
    written = (GOLDEN / f"{name}.json").read_text()
    assert json.loads(json.dumps(found)) == json.loads(written)


def older(what: str) -> list[Any]:
    """Shapes that were written before a field was added."""
    kept: dict[str, list[Any]] = json.loads((GOLDEN / "older_shapes.json").read_text())[what]
    return [
        pytest.param(name, shape, id=f"{name}-{number}")
        for name, shapes in kept.items()
        for number, shape in enumerate(shapes, 1)
    ]


@pytest.mark.parametrize(("type", "shape"), older("events"))
def test_older_facts_are_read_and_written_as_they_were(type: str, shape: Any) -> None:
    assert json.loads(encode(decode_event(type, json.dumps(shape)))) == shape


@pytest.mark.parametrize(("kind", "shape"), older("commands"))
def test_older_wishes_are_read_and_written_as_they_were(kind: str, shape: Any) -> None:
    assert json.loads(encode(decode_command(kind, json.dumps(shape)))) == shape


def test_what_says_nothing_of_a_warehouse_lies_in_the_main_one() -> None:
    [before] = json.loads((GOLDEN / "older_shapes.json").read_text())["events"][OrderPlaced.type]
    placed = decode_event(OrderPlaced.type, json.dumps(before))
    assert isinstance(placed, OrderPlaced)
    assert [line.warehouse for line in placed.lines] == ["main"]
    assert placed.packing == "parcels"


@pytest.mark.parametrize("event", corpus(), ids=lambda event: event.type)
def test_events_survive_their_storage(event: Event) -> None:
    assert msgspec.json.decode(msgspec.json.encode(event), type=type(event)) == event
    assert event.stream


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_commands_survive_the_wire(kind: str) -> None:
    command = example(COMMANDS[kind])
    assert msgspec.json.decode(msgspec.json.encode(command), type=COMMANDS[kind]) == command
    assert command.key
    assert command.stream
    assert TOPICS[command.context].split(".")[1] == command.context


def leaves(kind: type[Any], mark: str) -> set[type[Any]]:
    """All classes below `kind` that have a name on the wire."""
    found = {kind} if mark in vars(kind) else set[type[Any]]()
    return found.union(*(leaves(one, mark) for one in kind.__subclasses__()), set[type[Any]]())


def ours(kinds: set[type[Any]]) -> set[type[Any]]:
    return {kind for kind in kinds if kind.__module__.startswith("domain.")}


def test_the_catalog_holds_every_message() -> None:
    assert set(COMMANDS.values()) == ours(leaves(Command, "kind"))
    assert set(EVENTS.values()) == ours(leaves(Event, "type"))
    assert list(TOPICS) == list(CONTEXTS)


def test_every_wish_that_follows_counts_from_somewhere() -> None:
    caused = {one.command.counts_as for event in corpus() for one in react(event)}
    assert caused <= set(KINDS)
    assert set(KINDS) - set(COMMANDS) <= caused


def test_every_fact_is_thought_about() -> None:
    assert set(REACTIONS) == set(EVENTS.values())
    assert set(CHANGES) <= set(EVENTS.values())


def test_every_wish_of_an_order_has_its_rule() -> None:
    assert set(RULES) == {kind for kind in COMMANDS.values() if kind.context == "order"}
    of_orders = {one for one in EVENTS.values() if one.type.startswith("quire.order.")}
    assert set(ORDER_CHANGES) == of_orders


def test_an_unknown_fact_stops_the_process() -> None:
    class Stranger(Event, frozen=True):
        pass

    with pytest.raises(KeyError):
        react(Stranger())
