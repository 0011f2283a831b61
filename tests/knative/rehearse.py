"""`make rehearse`: run every process as the rendered manifests say, and take an order through.

Commands, variables, ports, probes and sinks are read from the YAML of an overlay. What is not ours
is stood in for: a Kafka and a Postgres as `quire up` starts them, `quire run source` for each
KafkaSource and Trigger whose receiver is a service, and small KafkaSinks of our own.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from aiokafka import AIOKafkaProducer

from stack import database
from stack.secrets import load_or_make
from stack.topics import Topic, ensure
from tests.integration.servers import running_kafka, running_postgres
from tests.knative import sink
from tests.knative.places import Places, host_and_port
from tests.unit.deploy.build import Document, Pod, of_kind, pods

STAYS = ("Deployment", "Service", "ContainerSource")
READY_SECONDS = 90.0
INTAKE: tuple[Document, str] = {"name": "intake"}, "/events"
PARTNER_ORDER = {
    "lines": [{"sku": "9780141439518", "quantity": 1}],
    "payment_method": "tok_approve",
}


class Failed(Exception):
    """Something is not as the manifests say."""


class Rehearsal:
    """The processes of one build."""

    def __init__(self, build: str, places: Places, directory: Path) -> None:
        self.build = build
        self.places = places
        self._logs = directory / "log"
        self._logs.mkdir()
        self._running: dict[str, tuple[subprocess.Popen[bytes], Pod | None]] = {}

    def start(
        self, name: str, command: list[str], environment: dict[str, str], pod: Pod | None
    ) -> None:
        with (self._logs / name).open("wb") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self._running[name] = process, pod

    def run(self, name: str, command: list[str], environment: dict[str, str]) -> str:
        """Run to the end; raises Failed when it does not end well."""
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"{name} ended with {done.returncode}: {done.stdout}{done.stderr}"[-3000:])
        return done.stdout

    def until_ready(self) -> None:
        """Every probe that a pod has says yes; raises Failed."""
        end = time.monotonic() + READY_SECONDS
        for name, (process, pod) in self._running.items():
            if pod is None:
                continue
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                if probe in pod.container:
                    self._until(name, process, pod, probe, end)

    def _until(
        self, name: str, process: subprocess.Popen[bytes], pod: Pod, probe: str, end: float
    ) -> None:
        command = self.places.probe(pod, pod.container[probe])
        environment = self.places.environment(pod)
        said = ""
        while time.monotonic() < end:
            if process.poll() is not None:
                raise Failed(f"{name} ended with {process.returncode}: {self.log(name)}")
            asked = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False
            )
            if asked.returncode == 0:
                return
            said = asked.stderr.strip()
            time.sleep(0.2)
        raise Failed(f"{name}: {probe} says {said!r}: {self.log(name)}")

    @property
    def count(self) -> int:
        return len(self._running)

    def log(self, name: str) -> str:
        return (self._logs / name).read_text()[-3000:]

    def stop(self) -> None:
        """SIGTERM for all; each has the grace period of its pod. Raises Failed."""
        for process, _ in self._running.values():
            process.terminate()
        wrong: list[str] = []
        for name, (process, pod) in self._running.items():
            seconds = 30 if pod is None else pod.spec.get("terminationGracePeriodSeconds", 30)
            try:
                code = process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
            if code:
                wrong.append(f"{name} ended with {code}: {self.log(name)[-500:]}")
        self._running.clear()
        if wrong:
            raise Failed("\n".join(wrong))


def say(text: str) -> None:
    print(text, flush=True)


@contextmanager
def servers(directory: Path) -> Generator[dict[str, str]]:
    """A Kafka and an empty database; gives kafka, app_dsn, owner_dsn."""
    with running_kafka() as (_, kafka), running_postgres() as (_, port, layout):
        secrets = load_or_make(layout.secrets)
        asyncio.run(database.ensure(secrets, port, "quire"))
        yield {
            "kafka": kafka,
            "app_dsn": secrets.app_dsn(port, "quire"),
            "owner_dsn": secrets.owner_dsn(port, "quire"),
        }


def topics_of(build: str) -> list[Topic]:
    return [
        Topic(each["metadata"]["name"], each["spec"]["partitions"])
        for each in of_kind(build, "KafkaTopic")
    ]


@asynccontextmanager
async def around(build: str, told: Mapping[str, str]) -> AsyncGenerator[dict[str, str]]:
    """Topics and sinks, as the manifests name them; gives `told` with the sinks' address."""
    await ensure(told["kafka"], topics_of(build))
    names = {
        each["metadata"]["name"]: each["spec"]["topic"] for each in of_kind(build, "KafkaSink")
    }
    async with sink.running(told["kafka"], names) as address:
        yield {**told, "sinks": host_and_port(address)}


def deliveries(build: str) -> list[tuple[str, str, Document, Document]]:
    """(name, topic, sink, delivery) of what delivers to a service."""
    found: list[tuple[str, str, Document, Document]] = []
    for each in of_kind(build, "KafkaSource"):
        spec = each["spec"]
        if spec["sink"]["ref"]["kind"] == "Service":
            found.append(
                (each["metadata"]["name"], spec["topics"][0], spec["sink"], spec["delivery"])
            )
    for each in of_kind(build, "Trigger"):
        spec = each["spec"]
        if spec["subscriber"]["ref"]["kind"] == "Service":
            name = each["metadata"]["name"]
            found.append((name, "quire.events", spec["subscriber"], spec["delivery"]))
    return found


def start_all(rehearsal: Rehearsal, kafka: str) -> None:
    """Every pod that stays, and a source for each delivery to a service."""
    places = rehearsal.places
    for pod in pods(rehearsal.build):
        if pod.kind in STAYS:
            environment = {**places.environment(pod), "K_SINK": places.url(*INTAKE)}
            rehearsal.start(pod.name, places.command(pod), environment, pod)
    rehearsal.until_ready()
    say(f"{rehearsal.count} processes are ready, by their own probes")
    for name, topic, target, delivery in deliveries(rehearsal.build):
        command = [
            sys.executable, "-m", "cli.main", "run", "source", topic,
            "--sink", places.url(target["ref"], target.get("uri", "/")),
            "--group", f"rehearsal-{name}", "--name", name,
        ]  # fmt: skip
        environment = {
            "PATH": "",
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "QUIRE_KAFKA": kafka,
            "QUIRE_SOURCE_RETRIES": str(delivery["retry"]),
            "QUIRE_SOURCE_BACKOFF_SECONDS": delivery["backoffDelay"][2:-1],
            "QUIRE_SOURCE_TIMEOUT_SECONDS": delivery["timeout"][2:-1],
        }
        rehearsal.start(f"source {name}", command, environment, None)


def orders(rehearsal: Rehearsal, url: str, environment: dict[str, str]) -> None:
    """An order by the API, and one by a partner's topic: both confirmed, both on the wall."""
    quire = [sys.executable, "-m", "cli.main"]
    told = {**environment, "QUIRE_URL": url}
    rehearsal.run("books", [*quire, "books", "--demo"], told)
    placed = rehearsal.run(
        "order", [*quire, "order", "place", "--demo", "--wait", "30", "--json"], told
    )
    if json.loads(placed)["status"] != "confirmed":
        raise Failed(f"the first order: {placed}")
    say("an order by orders-api, its KafkaSink and the agents: confirmed")


async def partner(kafka: str) -> None:
    producer: Any = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        await producer.send_and_wait("partner.orders", json.dumps(PARTNER_ORDER).encode())
        await producer.send_and_wait("partner.orders", b"no order")
    finally:
        await producer.stop()


def until(what: str, url: str, holds: Callable[[Any], bool], seconds: float = 40) -> None:
    """Ask until the answer is right; raises Failed."""
    end, answer = time.monotonic() + seconds, None
    while time.monotonic() < end:
        with urlopen(url, timeout=5) as response:
            answer = json.load(response)
        if holds(answer):
            say(what)
            return
        time.sleep(0.1)
    raise Failed(f"{what}: no, {url} says {answer}")


def once(rehearsal: Rehearsal, kinds: tuple[str, ...], **more: str) -> None:
    """Run what runs to its end: a migration, a check, a nightly post."""
    for pod in pods(rehearsal.build):
        if pod.kind in kinds and pod.name != "reconciliation":  # asks a provider outside
            command = rehearsal.places.command(pod)
            rehearsal.run(pod.name, command, {**rehearsal.places.environment(pod), **more})
            say(f"{pod.kind} {pod.name} ended well")


async def rehearse(build: str, directory: Path, told: Mapping[str, str]) -> None:
    async with AsyncExitStack() as stack:
        known = await stack.enter_async_context(around(build, told))
        places = Places(build, list(pods(build)), directory, known)
        rehearsal = Rehearsal(build, places, directory)
        try:
            await asyncio.to_thread(_acts, rehearsal, known)
        finally:
            await asyncio.to_thread(rehearsal.stop)
        say("every process ended by itself after SIGTERM, in its grace period")


def _acts(rehearsal: Rehearsal, known: Mapping[str, str]) -> None:
    places = rehearsal.places
    once(rehearsal, ("Job",))
    start_all(rehearsal, known["kafka"])
    by_name = {pod.name: pod for pod in pods(rehearsal.build)}
    api = places.url({"name": "orders-api"}, "")
    orders(rehearsal, api, places.environment(by_name["orders-api"]))
    asyncio.run(partner(known["kafka"]))
    until(
        "a partner's record by KafkaSource's stand-in and the intake: a second order is confirmed",
        f"{api}/orders?status=confirmed",
        lambda told: len(told["orders"]) == 2,
    )
    until(
        "what is no order is a dead letter, and parked",
        f"{api}/ops/parked",
        lambda told: "quire-dead-letters" in json.dumps(told),
    )
    until(
        "both orders stand on the wall, in the minutes at which they were placed",
        places.url({"name": "wall"}, "/minutes"),
        lambda told: sum(minute["orders"] for minute in told["minutes"].values()) == 2,
    )
    once(rehearsal, ("CronJob", "JobSink"), K_SINK=places.url(*INTAKE))


def main() -> None:
    build = sys.argv[1] if len(sys.argv) > 1 else "dev"
    with ExitStack() as stack:
        directory = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="quire-rehearsal-"))
        )
        told = stack.enter_context(servers(directory))
        try:
            asyncio.run(rehearse(build, directory, told))
        except Failed as failed:
            sys.exit(f"rehearsal of {build} failed: {failed}")
    say(f"rehearsal of {build}: all as the manifests say")


if __name__ == "__main__":
    main()
