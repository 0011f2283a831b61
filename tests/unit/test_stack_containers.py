"""The containers of a compose project, as an engine tells of them."""

import io
import json
import os
import socketserver
import tarfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from cli.bench import bench
from cli.faults import faults
from cli.output import Exit, Failure
from stack import containers
from stack.containers import REFUSED, Project
from stack.errors import StackFault
from stack.reached import BROKERS_USERS, reached
from stack.supervisor import State

LABEL = "com.docker.compose.service"
NUMBER = "com.docker.compose.container-number"


def told(
    service: str, state: str, status: str, *ports: tuple[int, int], number: int = 1
) -> dict[str, Any]:
    return {
        "Id": f"id-{service}" if number == 1 else f"id-{service}-{number}",
        "Labels": {LABEL: service, NUMBER: str(number)},
        "State": state,
        "Status": status,
        "Ports": [{"PrivatePort": 9}, *({"PrivatePort": a, "PublicPort": b} for a, b in ports)],
        "NetworkSettings": {"Networks": {"p_inside": {"NetworkID": "net"}}},
    }


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Answers as an engine does, and writes down what it was asked to do."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), Answer)
        self.containers: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.files: dict[tuple[str, str], str] = {}
        """By the container's id and the path in it."""
        self.refuses = False


class Answer(BaseHTTPRequestHandler):
    server: Engine  # pyright: ignore[reportIncompatibleVariableOverride] always ours
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        id, _, what = urlsplit(self.path).path.removeprefix("/containers/").rpartition("/")
        if what == "archive":
            self._say(*self._archive(id, asked["path"][0]))
            return
        if id:
            self._say(200, json.dumps({"State": {"Pid": len(id)}}).encode())
            return
        labels: list[str] = json.loads(asked["filters"][0])["label"]
        wanted = [each.partition("=")[2] for each in labels if each.startswith(LABEL)]
        found = [
            each for each in self.server.containers if not wanted or each["Labels"][LABEL] in wanted
        ]
        self._say(200, json.dumps(found).encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.asked.append(self.path)
        self._say(409 if self.server.refuses else 204, b"")

    def _archive(self, id: str, path: str) -> tuple[int, bytes]:
        text = self.server.files.get((id, path))
        if text is None:
            return 404, b"no such file"
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as archive:
            member = tarfile.TarInfo(Path(path).name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
        return 200, made.getvalue()

    def address_string(self) -> str:
        return "here"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    path = tmp_path / "engine.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    with Engine(path) as made:
        thread = Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def project(engine: Engine) -> Iterator[Project]:
    engine.containers = [
        told("api", "running", "Up 2 minutes (healthy)", (8080, 18080)),
        told("relay", "running", "Up 2 seconds (health: starting)"),
        told("timers", "running", "Up 3 hours (unhealthy)"),
        told("sealer", "paused", "Up 3 hours (Paused)"),
        told("source", "exited", "Exited (1) 2 seconds ago"),
        told("migrate", "exited", "Exited (0) 3 hours ago"),
    ]
    with containers.project("p") as made:
        yield made


def test_each_service_stands_as_its_health_says(project: Project):
    assert {name: each.state for name, each in project.standings().items()} == {
        "api": State.READY,
        "relay": State.STARTING,
        "timers": State.WAITING,
        "sealer": State.WAITING,
        "source": State.FAILED,
    }  # a job that is done stands nowhere


def test_a_service_of_many_is_ready_when_all_are(project: Project, engine: Engine):
    engine.containers.append(told("api", "running", "Up (health: starting)", number=2))
    assert project.standings()["api"].state is State.STARTING


def test_each_container_of_a_service_of_many_has_its_own_process(project: Project, engine: Engine):
    engine.containers = [told("relay", "running", "Up", number=number) for number in (2, 1)]
    assert project.pids() == {"relay": len("id-relay"), "relay-2": len("id-relay-2")}


def test_who_is_killed_is_started_again(project: Project, engine: Engine):
    project.kill("relay")
    assert engine.asked == ["/containers/id-relay/kill", "/containers/id-relay/start"]


def test_who_is_taken_from_the_network_comes_back(project: Project, engine: Engine):
    connect = project.disconnect("api")
    assert engine.asked == ["/networks/net/disconnect"]
    connect()
    assert engine.asked[1:] == ["/networks/net/connect"]


def test_what_the_engine_refuses_is_told(project: Project, engine: Engine):
    engine.refuses = True
    with pytest.raises(StackFault) as refused:
        project.pause("api")
    assert refused.value.code == REFUSED


def test_a_port_that_is_not_published_is_told(project: Project):
    with pytest.raises(StackFault) as missing:
        project.servers()
    assert missing.value.code == "no_container"


def test_processes_of_an_engine_elsewhere_are_not_taken_for_our_own(engine: Engine, tmp_path: Path):
    engine.containers = [told("relay", "running", "Up")]
    transport = httpx.HTTPTransport(uds=str(tmp_path / "engine.sock"))
    with httpx.Client(transport=transport, base_url="http://engine") as http:
        away = Project("p", http, here=False)
        assert away.standings()
        assert away.pids() == {}


OPEN = "postgresql://quire_app:pw@postgres:5432/quire"
TRUSTED = f"{OPEN}?sslmode=verify-full&sslrootcert=/run/quire/app/ca.pem"
SERVERS = {"postgres": 5432, "kafka": 8082, "api": 8080, "provider": 8084, "mail": 8025}


def servers_with(engine: Engine, dsn: str) -> None:
    engine.containers = [
        told(name, "running", "Up", (port, port + 10_000)) for name, port in SERVERS.items()
    ]
    for path in ("app/dsn", "owner/owner-dsn"):
        engine.files["id-postgres", f"/run/quire/{path}"] = dsn


def test_servers_that_take_everybody_are_reached_as_they_are(engine: Engine):
    servers_with(engine, OPEN)
    with containers.project("p") as project, reached(project) as servers:
        assert servers.postgres_dsn == OPEN.replace("postgres:5432", "127.0.0.1:15432")
        assert servers.kafka == "127.0.0.1:18082"
        assert "QUIRE_KAFKA_USERNAME" not in os.environ


def test_servers_that_take_users_over_tls_alone_are_reached_as_their_administrator(engine: Engine):
    servers_with(engine, TRUSTED)
    engine.files["id-postgres", "/run/quire/app/ca.pem"] = "the authority"
    engine.files["id-kafka", BROKERS_USERS] = 'x required user_admin="pw" user_api="other";'
    with containers.project("p") as project, reached(project) as servers:
        for dsn in (servers.postgres_dsn, servers.postgres_owner_dsn):
            copy = dsn.rpartition("sslrootcert=")[2]
            assert Path(copy).read_text() == "the authority"
        told = {name: os.environ[f"QUIRE_KAFKA_{name}"] for name in ("USERNAME", "PASSWORD")}
        assert told == {"USERNAME": "admin", "PASSWORD": "pw"}
        assert os.environ["QUIRE_KAFKA_CA_FILE"] == copy
    assert "QUIRE_KAFKA_PASSWORD" not in os.environ
    assert not Path(copy).exists()


def test_a_project_that_does_not_run_is_told(engine: Engine):
    with pytest.raises(StackFault) as missing, containers.project("none"):
        pass
    assert missing.value.code == "no_project"


def test_without_an_engine_that_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    with pytest.raises(StackFault) as missing, containers.project("p"):
        pass
    assert missing.value.code == "no_engine"


def test_an_empty_address_of_the_engine_is_the_default_and_none_there_is_not_reachable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    absent = tmp_path / "absent.sock"
    monkeypatch.setattr(containers, "SOCKET", f"unix://{absent}")
    monkeypatch.setenv("DOCKER_HOST", "")
    with pytest.raises(StackFault, match=str(absent)), containers.project("p"):
        pass
    for verb in (bench, faults):
        with pytest.raises(Failure) as failed:
            verb.main(["--compose", "p"], standalone_mode=False)
        assert (failed.value.code, failed.value.exit_code) == ("no_engine", Exit.NOT_REACHABLE)
