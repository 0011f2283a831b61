"""The target `compose`: the real compose file, built and started under a project of the tests' own.

Its published ports are moved by the variables that the file has for them, so that it stands beside
whatever runs on the usual ones. COMPOSE_FILE and COMPOSE_PROFILES count as they do for everybody.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from cli.servers import Servers
from stack.containers import project
from stack.layout import LOOPBACK
from stack.ports import free_ports
from stack.reached import reached
from tests import engine
from tests.acceptance.stack import QUICK, Stack

ROOT = Path(__file__).parents[2]
UP_SECONDS = 420
BUILD_SECONDS = 900
PORTS = (
    "QUIRE_PORT",
    "QUIRE_POSTGRES_PORT",
    "QUIRE_KAFKA_PORT",
    "QUIRE_PROVIDER_PORT",
    "QUIRE_INTAKE_PORT",
    "QUIRE_MAIL_PAGE_PORT",
    "QUIRE_PROMETHEUS_PORT",
    "QUIRE_GRAFANA_PORT",
    "QUIRE_KAFKA_PAGE_PORT",
)
NEEDED = (engine.PYTHON, engine.POSTGRES, engine.KAFKA, engine.MAIL)


class Options(NamedTuple):
    """Which compose files, ours unless COMPOSE_FILE says otherwise; services with their numbers."""

    files: Sequence[str] = ()
    scale: Sequence[str] = ()


AS_IT_IS = Options()


class Compose(Stack):
    """One project: its containers, its volumes and the ports that it publishes."""

    def __init__(self, root: Path, image: str, state_dir: Path, options: Options) -> None:
        self.project = f"quire-t{uuid4().hex[:6]}"
        self.state_dir = state_dir
        self.root = root  # of the tree whose compose file is meant
        self.image = image
        self._built: set[str] = set()
        self._options = options
        self._servers: Servers | None = None
        self._open = ExitStack()
        ports = free_ports(len(PORTS))
        self._ports = {name: str(port) for name, port in zip(PORTS, ports, strict=True)}
        self.url = self._address("QUIRE_PORT")
        self.provider = self._address("QUIRE_PROVIDER_PORT")

    def build(self) -> None:
        """Make the image of this tree; `down` takes it away again."""
        self._built.add(self.image)
        self.run("build", "--quiet", seconds=BUILD_SECONDS)

    def up(self, *words: str) -> None:
        """Start what is not started yet, and wait until all of it is well."""
        scale = [word for each in self._options.scale for word in ("--scale", each)]
        self.run("up", "--detach", "--wait", *scale, *words, seconds=UP_SECONDS)
        self.run("cp", "sealer:/var/lib/quire/seal.pub", str(self.state_dir / "seal.pub"))
        if self._servers is None:  # from now on our clients sign in where they have to
            found = self._open.enter_context(
                reached(self._open.enter_context(project(self.project)))
            )
            self._servers = Servers(found.postgres_dsn, found.postgres_owner_dsn, found.kafka)

    def down(self) -> None:
        """Stop and remove all, the data and the images as well; what was built stays cached."""
        self._open.close()
        try:
            self.run("down", "--volumes", "--remove-orphans", seconds=180)
        finally:
            for image in sorted(self._built):
                with suppress(subprocess.SubprocessError):
                    _docker("image", "rm", image)

    def run(self, *words: str, seconds: float = 60) -> str:
        """`docker compose` with these words; gives what it prints."""
        files = {"COMPOSE_FILE": ":".join(self._options.files)} if self._options.files else {}
        done = subprocess.run(
            ["docker", "compose", "--project-name", self.project, *words],
            check=False,
            capture_output=True,
            text=True,
            timeout=seconds,
            cwd=self.root,
            env={**os.environ, **QUICK, **self._ports, **files, "QUIRE_IMAGE": self.image},
        )
        assert done.returncode == 0, f"compose {' '.join(words)}: {done.stderr[-3000:]}"
        return done.stdout

    def told(self) -> Mapping[str, str]:
        return {
            "QUIRE_POSTGRES_DSN": self.servers.postgres_dsn,
            "QUIRE_POSTGRES_OWNER_DSN": self.servers.postgres_owner_dsn,
            "QUIRE_KAFKA": self.servers.kafka,
            "QUIRE_PROVIDER_URL": self.provider,
            "QUIRE_MAIL_PAGE": self._address("QUIRE_MAIL_PAGE_PORT"),
        }

    @property
    def servers(self) -> Servers:
        assert self._servers is not None, "it is not up"
        return self._servers

    def admin_dsn(self) -> str:
        password = self.run("exec", "-T", "postgres", "cat", "/run/quire/owner/admin-password")
        port = self._ports["QUIRE_POSTGRES_PORT"]
        return f"postgresql://postgres:{password.strip()}@{LOOPBACK}:{port}/quire"

    def containers(self) -> dict[str, Any]:
        """What the engine knows of each container that runs or ran, by its name."""
        ids = self.run("ps", "--all", "--quiet").split()
        told = json.loads(_docker("inspect", *ids))
        return {each["Name"].removeprefix(f"/{self.project}-"): each for each in told}

    def is_healthy(self) -> bool:
        return all(_is_well(each["State"]) for each in self.containers().values())

    def container(self, name: str) -> str:
        """The id of the first container of a service, or of the one that its number names."""
        service, _, number = name.rpartition("-")
        service, number = (service, number) if number.isdecimal() else (name, "1")
        return self.containers()[f"{service}-{number}"]["Id"]

    def kill(self, name: str) -> "Ended":
        """Kill the container; the engine takes that for our wish, so we start it again."""
        ended = Ended(self.container(name))
        self.engine("kill", ended.id)
        self.engine("start", ended.id)
        return ended

    def engine(self, *words: str) -> str:
        """`docker` with these words; gives what it prints."""
        return _docker(*words)

    def _address(self, port: str) -> str:
        return f"http://{LOOPBACK}:{self._ports[port]}"


class Ended:
    """A container, as it was before it was killed."""

    def __init__(self, id: str) -> None:
        self.id = id
        self._before = self._state()["StartedAt"]

    def is_back(self) -> bool:
        state = self._state()
        return _is_well(state) and state["StartedAt"] != self._before

    def is_told(self) -> bool:
        state = self._state()
        return state["StartedAt"] > state["FinishedAt"] > self._before

    def _state(self) -> Any:
        return json.loads(_docker("inspect", "--format", "{{json .State}}", self.id))


def _is_well(state: Any) -> bool:
    """It runs and its health check says so, or it has ended as a job does."""
    if state["Status"] == "exited":
        return state["ExitCode"] == 0
    return state.get("Health", {"Status": "healthy"})["Status"] == "healthy"


def _docker(*words: str, seconds: float = 60) -> str:
    done = subprocess.run(
        ["docker", *words], check=True, capture_output=True, text=True, timeout=seconds
    )
    return done.stdout


def new_image(name: str = "test") -> str:
    """A tag that nobody else builds at the same time."""
    return f"quire:{name}-{uuid4().hex[:6]}"


@contextmanager
def new_project(
    *, root: Path = ROOT, image: str = "", options: Options = AS_IT_IS
) -> Generator[Compose]:
    """Build the image, give a stack that is up, and leave nothing of it."""
    with tempfile.TemporaryDirectory(prefix="quire-compose-") as directory:
        stack = Compose(root, image or new_image(), Path(directory), options)
        try:
            stack.build()
            stack.up()
            yield stack
        except BaseException as fault:
            try:
                stack.down()
            except (AssertionError, OSError, subprocess.SubprocessError) as left:
                fault.add_note(f"and it could not be taken down: {left}")
            raise
        stack.down()
