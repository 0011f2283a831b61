"""`make rehearse`: run every process as the rendered manifests say, and take an order through.

Commands, variables, mounts, ports, probes, sinks, users, rights and roles are read from the YAML of
an overlay, secrets from the commands of deploy/README.md. What is not ours is stood in for: Kafka
and Postgres by one node each (strimzi, cloudnative), each KafkaSource and Trigger whose receiver is
a service by `quire run source`, KafkaSinks by small ones of our own, a provider outside by the
simulated one, a mail server by that of the tests.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

from aiokafka import AIOKafkaProducer

from tests.integration.mail_office import Office
from tests.knative import sink, strimzi
from tests.knative.around import Around, outside, servers, words
from tests.knative.checks import lag_by_keda, reader_only_reads
from tests.knative.places import OURS, Places
from tests.knative.running import STAYS, Failed, Rehearsal, every, say
from tests.knative.strimzi import Kafka
from tests.unit.deploy.build import OVERLAYS, Document, of_kind

KNATIVE = "knative"
INTAKE: tuple[Document, str] = {"name": "intake"}, "/events"
PARTNER_ORDER = {
    "lines": [{"sku": "9780141439518", "quantity": 1}],
    "payment_method": "tok_approve",
}


class Delivery(NamedTuple):
    """What delivers to a service, and what it reads."""

    name: str
    topic: str
    group: str
    sink: Document
    delivery: Document


def deliveries(build: str) -> list[Delivery]:
    """What delivers to a service; a Trigger's records are those that its Broker is fed with."""
    found: list[Delivery] = []
    for each in of_kind(build, "KafkaSource"):
        name, spec = each["metadata"]["name"], each["spec"]
        if spec["sink"]["ref"]["kind"] == "Service":
            [topic] = spec["topics"]
            found.append(
                Delivery(name, topic, spec["consumerGroup"], spec["sink"], spec["delivery"])
            )
    for each in of_kind(build, "Trigger"):
        name, spec = each["metadata"]["name"], each["spec"]
        if spec["subscriber"]["ref"]["kind"] == "Service":
            group = f"knative-trigger-quire-{name}"
            found.append(
                Delivery(name, "quire.events", group, spec["subscriber"], spec["delivery"])
            )
    return found


def bound(name: str, places: Places) -> dict[str, str]:
    """What Knative tells those whom it binds. What the wall says comes back to it by the Broker,
    for which it stands itself here."""
    if name == "wall":
        own = places.url({"name": "wall"}, "/passed")
        return {"K_SINK": own, "QUIRE_WALL_THRESHOLDS": "orders=1"}
    return {"K_SINK": places.url(*INTAKE)}


def start_all(rehearsal: Rehearsal, around: Around) -> None:
    """Every pod that stays, and a source for each delivery to a service."""
    places = rehearsal.places
    for pod in rehearsal.pods.values():
        if pod.kind in STAYS:
            environment = {**places.environment(pod), **bound(pod.name, places)}
            rehearsal.start(pod.name, places.command(pod), environment, pod)
    rehearsal.until_ready()
    say(f"{rehearsal.count} processes are ready, by their own probes")
    for each in deliveries(rehearsal.build):
        command = [
            sys.executable, "-m", "cli.main", "run", "source", each.topic,
            "--sink", places.url(each.sink["ref"], each.sink.get("uri", "/")),
            "--group", each.group, "--name", each.name,
        ]  # fmt: skip
        environment = {
            **OURS,
            **strimzi.signing_in(around.kafka, KNATIVE, around.authority),
            "QUIRE_KAFKA": around.kafka.address,
            "QUIRE_SOURCE_RETRIES": str(each.delivery["retry"]),
            "QUIRE_SOURCE_BACKOFF_SECONDS": each.delivery["backoffDelay"][2:-1],
            "QUIRE_SOURCE_TIMEOUT_SECONDS": each.delivery["timeout"][2:-1],
        }
        rehearsal.start(f"source {each.name}", command, environment, None)


def provider(rehearsal: Rehearsal, around: Around, directory: Path) -> None:
    """The simulated one, where the settings name one outside."""
    environment = {
        **OURS,
        "QUIRE_STATE_DIR": str(directory / "provider"),
        "QUIRE_PROVIDER_PORT": around.provider.rpartition(":")[2],
    }
    command = [sys.executable, "-m", "cli.main", "run", "provider"]
    rehearsal.start("provider", command, environment, None)


def order(rehearsal: Rehearsal, url: str, environment: dict[str, str]) -> None:
    """An order by the API is confirmed; raises Failed."""
    quire = [sys.executable, "-m", "cli.main"]
    told = {**environment, "QUIRE_URL": url}
    rehearsal.run("books", [*quire, "books", "--demo"], told)
    place = [*quire, "order", "place", "--demo", "--email", "ada@example.org", "--wait", "30"]
    placed = rehearsal.run("order", [*place, "--json"], told)
    if json.loads(placed)["status"] != "confirmed":
        raise Failed(f"the first order: {placed}")
    say("an order by orders-api, its KafkaSink and the agents: confirmed")


async def partner(kafka: Kafka) -> None:
    """A partner's own user and rights are the partner's; here it is the administrator."""
    producer: Any = AIOKafkaProducer(bootstrap_servers=kafka.operator)
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
    for pod in rehearsal.pods.values():
        if pod.kind not in kinds:
            continue
        command = rehearsal.places.command(pod)
        rehearsal.run(pod.name, command, {**rehearsal.places.environment(pod), **more})
        say(f"{pod.kind} {pod.name} ended well")


async def rehearse(build: str, directory: Path, around: Around) -> None:
    """All acts of one overlay; raises Failed."""
    await strimzi.reconcile(build, around.kafka.operator)
    names = {
        each["metadata"]["name"]: each["spec"]["topic"] for each in of_kind(build, "KafkaSink")
    }
    os.environ.update(strimzi.signing_in(around.kafka, KNATIVE, around.authority))
    async with AsyncExitStack() as stack:
        around = await stack.enter_async_context(outside(around, directory))
        address = await stack.enter_async_context(sink.running(around.kafka.address, names))
        more: dict[str, str] = {}
        if around.mail:
            more["QUIRE_SMTP_PORT"] = str(around.mail.port)
            more["QUIRE_SMTP_CA_FILE"] = str(directory / "mail" / "ca.pem")
        led = words(build, around, address)
        places = Places(build, every(build), directory, led, around.secrets, more)
        rehearsal = Rehearsal(build, places, directory)
        try:
            await asyncio.to_thread(_acts, rehearsal, around, directory)
        except BaseException:
            with suppress(Failed):  # the first failure is the one to tell
                await asyncio.to_thread(rehearsal.stop)
            raise
        await asyncio.to_thread(rehearsal.stop)
        say("every process ended by itself after SIGTERM, in its grace period")


def _acts(rehearsal: Rehearsal, around: Around, directory: Path) -> None:
    places = rehearsal.places
    once(rehearsal, ("Job",))
    if around.provider:
        provider(rehearsal, around, directory)
    start_all(rehearsal, around)
    api = places.url({"name": "orders-api"}, "")
    order(rehearsal, api, places.environment(rehearsal.pods["orders-api"]))
    _in_turn(rehearsal)
    asyncio.run(partner(around.kafka))
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
    until(
        "a minute that passed a threshold is an event, and the wall shows it",
        places.url({"name": "wall"}, "/minutes"),
        lambda told: {each["minute"] for each in told["passed"]} == told["minutes"].keys(),
    )
    once(rehearsal, ("CronJob", "JobSink"), K_SINK=places.url(*INTAKE))
    say(reader_only_reads(around.postgres, around.secrets))
    if around.kafka.authority:
        say(asyncio.run(lag_by_keda(rehearsal.build, around.kafka)))
    if around.mail:
        _mailed(around.mail)


def _in_turn(rehearsal: Rehearsal) -> None:
    """Whoever works alone ends; the one that stands by goes on."""
    names = [name for name in rehearsal.pods if f"{name}-2" in rehearsal.pods]
    if names:
        rehearsal.stop(*names)
        say(f"{', '.join(names)}: the first one ended, the one that stood by goes on")


def _mailed(mail: Office) -> None:
    end = time.monotonic() + 20
    while not mail.taken and time.monotonic() < end:
        time.sleep(0.1)
    if not mail.taken or not all(mail.taken):
        raise Failed(f"mail: {len(mail.taken)} came in, {mail.tried} signed in")
    say("the customer's mail went out, by TLS and signed in")


def main() -> None:
    """`python -m tests.knative.rehearse [OVERLAY [DIRECTORY]]`; logs stay in a DIRECTORY given."""
    build = sys.argv[1] if len(sys.argv) > 1 else "dev"
    if build not in OVERLAYS:
        sys.exit(f"there is no overlay {build}; there are {', '.join(OVERLAYS)}")
    begin = time.monotonic()
    with ExitStack() as stack:
        if len(sys.argv) > 2:
            directory = Path(sys.argv[2])
            directory.mkdir(parents=True)
        else:
            made = tempfile.TemporaryDirectory(prefix="quire-rehearsal-")
            directory = Path(stack.enter_context(made))
        around = stack.enter_context(servers(build, directory))
        try:
            asyncio.run(rehearse(build, directory, around))
        except Failed as failed:
            sys.exit(f"rehearsal of {build} failed: {failed}")
    say(f"rehearsal of {build}: all as the manifests say, in {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
