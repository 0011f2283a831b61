"""Where a stack keeps things, and which ports it takes."""

import os
from dataclasses import dataclass
from pathlib import Path

from stack.errors import StackFault

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of a stack: the API's, and the others after it."""

    api: int
    postgres: int
    kafka: int
    controller: int
    provider: int
    mail: int
    intake: int
    wall: int

    @classmethod
    def from_base(cls, base: int) -> "Ports":
        return cls(
            api=base,
            postgres=base + 1,
            kafka=base + 2,
            controller=base + 3,
            provider=base + 4,
            mail=base + 5,
            intake=base + 6,
            wall=base + 8,
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """The state directory of one stack."""

    root: Path

    @classmethod
    def at(cls, state_dir: Path) -> "Layout":
        """Make the directories, readable by their owner alone where secrets are; StackFault."""
        layout = cls(state_dir.absolute())
        for directory in (layout.root, layout.logs, layout.run):
            try:
                directory.mkdir(parents=True, exist_ok=True)
            except OSError as fault:
                raise StackFault(
                    "state_dir_not_usable",
                    f"{directory} cannot be made: {fault.strerror}",
                    "Name a directory that you may write to with --state-dir.",
                ) from fault
        return layout

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def lock(self) -> Path:
        return self.run / "lock"

    @property
    def state(self) -> Path:
        return self.run / "stack.json"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets.json"

    @property
    def kafka(self) -> Path:
        return self.root / "kafka"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    def log(self, process: str) -> Path:
        return self.logs / f"{process}.log"

    def ready(self, process: str) -> Path:
        return self.run / f"{process}.ready"


def cache_dir() -> Path:
    """Where downloads stay, so that a second stack is quick."""
    given = os.environ.get("XDG_CACHE_HOME")  # the desktop's word, not a setting of ours
    return (Path(given) if given else Path.home() / ".cache") / "quire"
