"""What is done to whom, and when: a pure function of the seed."""

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from random import Random
from typing import Literal

import msgspec

Kind = Literal[
    "kill", "freeze", "cut", "hold", "deafen", "delay", "refuse", "script", "extra", "disconnect"
]
"""`cut` breaks connections, `hold` stops them for a while, `deafen` loses the answers and then
breaks them, `delay` makes each of them slow, `refuse` breaks all and lets nobody in; `disconnect`
takes a container from its network."""

SERVERS = ("kafka", "postgres")
WIRES = ("postgres", "kafka", "provider")
SESSION_SECONDS = 5
"""The session time-out of the workers' groups: some freezes are shorter, some longer."""

LEAD_SECONDS = 2.0  # of the load alone, before the first injury
KILL_EVERY = 3.5
FREEZE_EVERY = 9.0
WIRE_EVERY = 8.0
SCRIPT_EVERY = 7.0
EXTRA_EVERY = 14.0


class Injury(msgspec.Struct, frozen=True, omit_defaults=True):
    """`at` and `seconds` (how long it lasts, 0: a moment) are seconds, `at` from the load's start.

    `share` is how much of something, between 0 and 1; `script` is what the provider is told.
    """

    at: float
    kind: Kind
    whom: str
    seconds: float = 0.0
    share: float = 0.0
    script: dict[str, str | int | float | bool] | None = None

    def text(self) -> str:
        told = f" for {self.seconds:g} s" if self.seconds else ""
        if self.kind == "cut":
            told = f", {self.share:.0%} of the connections"
        if self.kind == "delay":
            told += f", {self.share * 1000:.0f} ms each way"
        if self.kind == "extra":
            told += ", ended by kill -9" if self.share else ", ended by SIGTERM"
        if self.script is not None:
            told = " " + " ".join(f"{name}={value}" for name, value in self.script.items())
        return f"{self.at:7.2f} s  {self.kind:<7} {self.whom}{told}"


def plan(
    seed: int,
    seconds: float,
    processes: Sequence[str],
    *,
    wires: Sequence[str] = WIRES,
    contained: bool = False,
) -> list[Injury]:
    """All injuries of a run, by time. `processes` are those that may be killed, servers included.
    `contained` takes containers from their network instead of adding workers.

    Each sort of injury draws by itself, so that a longer run begins like a shorter one.
    """
    names = sorted(processes)
    made = [
        *_each(seed, "kill", seconds, KILL_EVERY, _kills(names)),
        *_each(seed, "freeze", seconds, FREEZE_EVERY, _freezes(names)),
    ]
    if contained:
        made += _each(seed, "network", seconds, WIRE_EVERY, _disconnects(names))
    else:
        made += _each(seed, "extra", seconds, EXTRA_EVERY, _extras(names))
    if wires:
        made += _each(seed, "wire", seconds, WIRE_EVERY, _wires(wires))
    if "provider" in names:
        made += _each(seed, "script", seconds, SCRIPT_EVERY, _scripts)
    return sorted(made, key=lambda injury: injury.at)


Draw = Callable[[Random, float], Injury]


def _each(seed: int, what: str, seconds: float, every: float, draw: Draw) -> Iterator[Injury]:
    random = Random(f"{seed}/{what}")
    at = LEAD_SECONDS + every * random.random()
    while at < seconds:
        yield draw(random, round(at, 2))
        at += every * random.uniform(0.6, 1.4)


def _kills(names: Sequence[str]) -> Draw:
    """Everybody once, in an order of chance, and then again in another. The two servers come
    half a round apart: nothing can be seen of a stack whose servers are always away."""
    others = [name for name in names if name not in SERVERS]
    waiting: list[str] = []

    def draw(random: Random, at: float) -> Injury:
        if not waiting:
            servers = random.sample(SERVERS, len(SERVERS))
            drawn = random.sample(others, len(others))
            half = len(drawn) // 2
            waiting.extend([*_amid(drawn[:half], servers[0]), *_amid(drawn[half:], servers[1])])
        return Injury(at, "kill", waiting.pop(0))

    return draw


def _amid(names: list[str], one: str) -> list[str]:
    middle = len(names) // 2
    return [*names[:middle], one, *names[middle:]]


def _freezes(names: Sequence[str]) -> Draw:
    """Every other one for longer than the session lasts, except the servers."""
    workers = [name for name in names if name.startswith("worker-")]
    long_ones = cycle((False, True))

    def draw(random: Random, at: float) -> Injury:
        if next(long_ones):
            long = SESSION_SECONDS * random.uniform(1.3, 2.2)
            slow = [name for name in names if name not in SERVERS]
            return Injury(at, "freeze", random.choice([*workers, *slow]), round(long, 2))
        return Injury(at, "freeze", random.choice(names), round(random.uniform(0.5, 3), 2))

    return draw


def _extras(names: Sequence[str]) -> Draw:
    workers = [name for name in names if name.startswith("worker-")]

    def draw(random: Random, at: float) -> Injury:
        killed = float(random.random() < 0.5)
        return Injury(at, "extra", random.choice(workers), round(random.uniform(5, 15), 2), killed)

    return draw


def _disconnects(names: Sequence[str]) -> Draw:
    def draw(random: Random, at: float) -> Injury:
        return Injury(at, "disconnect", random.choice(names), round(random.uniform(1, 8), 2))

    return draw


def _wires(wires: Sequence[str]) -> Draw:
    kinds: tuple[Kind, ...] = ("cut", "cut", "hold", "deafen", "delay", "refuse")

    def draw(random: Random, at: float) -> Injury:
        whom, kind = random.choice(wires), random.choice(kinds)
        match kind:
            case "cut":
                return Injury(at, kind, whom, share=random.choice((0.3, 0.6, 1.0)))
            case "delay":
                seconds, share = random.uniform(3, 8), random.uniform(0.02, 0.2)
                return Injury(at, kind, whom, round(seconds, 2), round(share, 3))
            case "hold":
                return Injury(at, kind, whom, round(random.uniform(1, 9), 2))
            case _:
                return Injury(at, kind, whom, round(random.uniform(0.5, 4), 2))

    return draw


def _scripts(random: Random, at: float) -> Injury:
    """What a provider does on a bad day; the calls it is for are the next ones."""
    step = random.choice(("authorize", "authorize", "capture", "refund", "void"))
    calls = random.randint(1, 12)
    told: list[dict[str, str | int | float | bool]] = [
        {"action": "unavailable", "seconds": round(random.uniform(2, 10), 1)},
        {"action": "slow", "seconds": round(random.uniform(0.5, 3), 1), "calls": calls},
        {"action": "slow", "seconds": 6, "calls": 3},  # longer than we wait
        {"action": "timeout", "step": step, "calls": random.randint(1, 4)},
        {"action": "approve", "notices": 2, "calls": calls},
        {"action": "approve", "notices": 2, "notice_first": True, "calls": calls},
        {"action": "approve", "notices": 1, "notice_seconds": 5, "calls": calls},
        {"action": "decline", "step": "authorize", "calls": calls, "retryable": True},
        {"action": "decline", "step": "authorize", "calls": calls},
        {"action": "3ds", "step": "authorize", "calls": calls},
    ]
    return Injury(at, "script", "provider", script=random.choice(told))
