"""The stack that `docker compose` runs: found by its project, reached through the engine."""

import io
import os
import re
import tarfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx
import msgspec

from stack.board import Servers
from stack.errors import StackFault
from stack.layout import LOOPBACK
from stack.supervisor import Standing, State

SOCKET = "unix:///var/run/docker.sock"
LABEL = "com.docker.compose"
SECONDS = 30.0
PORTS = {"api": 8080, "postgres": 5432, "kafka": 8082, "provider": 8084, "mail": 8025}
"""Which of its ports a service publishes for this machine."""

_STATES = {
    "dead": State.FAILED,
    "created": State.STARTING,
    "restarting": State.WAITING,
    "paused": State.WAITING,
}

REFUSED = "engine_refused"
"""The fault's code when what was asked does not fit the state of the container by then."""

_NOTHING: Mapping[str, str] = MappingProxyType({})

Heal = Callable[[], None]


class Container(NamedTuple):
    """One container, as the engine lists it."""

    id: str
    service: str
    number: int
    """From 1, among those of its service."""
    state: State
    ports: Mapping[int, int]
    networks: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its service's, with a number from the second on."""
        return self.service if self.number == 1 else f"{self.service}-{self.number}"


class Project:
    """The containers of one project, and what can be done to them."""

    def __init__(self, name: str, http: httpx.Client, *, here: bool) -> None:
        self.name = name
        self._http = http
        self._here = here

    def containers(self, service: str = "") -> list[Container]:
        """Those that run or should; jobs that are done are left out."""
        labels = [f"{LABEL}.project={self.name}", f"{LABEL}.oneoff=False"]
        if service:
            labels.append(f"{LABEL}.service={service}")
        asked = {"all": "1", "filters": msgspec.json.encode({"label": labels}).decode()}
        found = [_container(each) for each in self._ask("GET", "/containers/json", asked=asked)]
        found = [each for each in found if each.state is not State.STOPPED]
        return sorted(found, key=lambda each: (each.service, each.number))

    def standings(self) -> dict[str, Standing]:
        """Each service by its slowest container."""
        found: dict[str, Standing] = {}
        now = datetime.now(UTC)
        for each in self.containers():
            if each.service not in found or found[each.service].state is State.READY:
                found[each.service] = Standing(each.service, each.state, None, 0, now)
        return found

    def servers(self) -> Servers:
        """The published addresses, with the passwords of the project's volumes."""
        ports = {name: self._published(name) for name in PORTS}
        at = f"@{LOOPBACK}:{ports['postgres']}/"
        app, owner = (
            re.sub("@[^/]+/", at, self.file("postgres", f"/run/quire/{path}").decode().strip())
            for path in ("app/dsn", "owner/owner-dsn")
        )
        return Servers(
            url=f"http://{LOOPBACK}:{ports['api']}",
            postgres_dsn=app,
            postgres_owner_dsn=owner,
            kafka=f"{LOOPBACK}:{ports['kafka']}",
            provider=f"http://{LOOPBACK}:{ports['provider']}",
        )

    def mail_page(self) -> str:
        return f"http://{LOOPBACK}:{self._published('mail')}"

    def pids(self) -> dict[str, int]:
        """The first process of each container, as this machine numbers it, 0 of who is away; none
        where the engine runs elsewhere."""
        return {
            each.name: self._ask("GET", f"/containers/{each.id}/json")["State"]["Pid"]
            for each in (self.containers() if self._here else ())
        }

    def file(self, service: str, path: str) -> bytes:
        """A file of a container, or of a volume in it."""
        one = self._one(service)
        answer = self._send("GET", f"/containers/{one.id}/archive", asked={"path": path})
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
            member = archive.extractfile(archive.getmembers()[0])
            return member.read() if member else b""

    def kill(self, service: str) -> str:
        """Kill -9 and start: the engine takes a kill for our wish, and starts nothing by itself.
        Gives the container's id."""
        one = self._one(service)
        self._ask("POST", f"/containers/{one.id}/kill")
        self._ask("POST", f"/containers/{one.id}/start")
        return one.id

    def pause(self, service: str) -> Heal:
        """Freeze all that runs in it; gives what thaws it."""
        one = self._one(service)
        self._ask("POST", f"/containers/{one.id}/pause")
        return partial(self._ask, "POST", f"/containers/{one.id}/unpause")

    def disconnect(self, service: str) -> Heal:
        """Take it from its networks; gives what connects it again, under its own names."""
        one = self._one(service)
        for network in one.networks:
            self._ask("POST", f"/networks/{network}/disconnect", {"Container": one.id})

        def connect() -> None:
            for network in one.networks:
                names = {"Aliases": [service, one.id[:12]]}
                wanted = {"Container": one.id, "EndpointConfig": names}
                self._ask("POST", f"/networks/{network}/connect", wanted)

        return connect

    def _one(self, service: str) -> Container:
        found = self.containers(service)
        if not found:
            raise StackFault(
                "no_container", f"{self.name} runs no {service}", "Start it: docker compose up"
            )
        return found[0]

    def _published(self, service: str) -> int:
        port = self._one(service).ports.get(PORTS[service])
        if not port:
            raise StackFault(
                "not_published",
                f"the service {service} of {self.name} publishes no port {PORTS[service]}",
                "Run the command within the project: docker compose run --rm quire ...",
            )
        return port

    def _ask(
        self, method: str, path: str, body: object = None, asked: Mapping[str, str] = _NOTHING
    ) -> Any:
        answer = self._send(method, path, body, asked)
        return answer.json() if answer.content else None

    def _send(
        self, method: str, path: str, body: object = None, asked: Mapping[str, str] = _NOTHING
    ) -> httpx.Response:
        try:
            answer = self._http.request(method, path, params=asked, json=body)
        except httpx.TransportError as fault:
            raise _no_engine(str(fault)) from fault
        if answer.is_error:
            said = f"the engine refused {path}: {answer.text.strip()}"
            raise StackFault(REFUSED, said, "Look at `docker compose ps`.")
        return answer


@contextmanager
def project(name: str) -> Generator[Project]:
    """A project that runs, by the engine that DOCKER_HOST names; StackFault when there is none."""
    host = os.environ.get("DOCKER_HOST") or SOCKET
    with _engine(host) as http:
        found = Project(name, http, here=host.startswith("unix:"))
        if not found.containers():
            raise StackFault(
                "no_project",
                f"no container of the project {name} runs",
                "Name the project that `docker compose ls` shows.",
            )
        yield found


def _engine(host: str) -> httpx.Client:
    scheme, _, place = host.partition("://")
    if scheme == "unix":
        if not Path(place).is_socket():
            raise _no_engine(f"{place} is not there")
        transport = httpx.HTTPTransport(uds=place)
        return httpx.Client(transport=transport, base_url="http://engine", timeout=SECONDS)
    return httpx.Client(base_url=f"http://{place}", timeout=SECONDS)


def _no_engine(why: str) -> StackFault:
    return StackFault(
        "no_engine",
        f"no container engine answers: {why}",
        "Start it, or say with DOCKER_HOST where it is.",
    )


def _container(told: Any) -> Container:
    networks = told["NetworkSettings"]["Networks"]
    return Container(
        id=told["Id"],
        service=told["Labels"][f"{LABEL}.service"],
        number=int(told["Labels"][f"{LABEL}.container-number"]),
        state=_state(told["State"], told["Status"]),
        ports={each["PrivatePort"]: each.get("PublicPort", 0) for each in told["Ports"]},
        networks=tuple(each["NetworkID"] for each in networks.values()),
    )


def _state(state: str, status: str) -> State:
    """`status` is the engine's sentence, with the health in brackets."""
    if state == "running":
        if "health: starting" in status:
            return State.STARTING
        return State.WAITING if "(unhealthy)" in status else State.READY
    if state == "exited":
        return State.STOPPED if "Exited (0)" in status else State.FAILED
    return _STATES.get(state, State.WAITING)
