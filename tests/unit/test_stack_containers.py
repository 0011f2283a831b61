"""The containers of a compose project, as an engine tells of them."""

import json
import socketserver
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cli.bench import bench
from cli.faults import faults
from cli.output import Exit, Failure
from stack import containers
from stack.containers import REFUSED, Project
from stack.errors import StackFault
from stack.supervisor import State

LABEL = "com.docker.compose.service"


def told(service: str, state: str, status: str, *ports: tuple[int, int]) -> dict[str, Any]:
    return {
        "Id": f"id-{service}",
        "Labels": {LABEL: service},
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
        self.refuses = False


class Answer(BaseHTTPRequestHandler):
    server: Engine  # pyright: ignore[reportIncompatibleVariableOverride] always ours
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
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
    engine.containers.append({**told("api", "running", "Up (health: starting)"), "Id": "second"})
    assert project.standings()["api"].state is State.STARTING


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
