"""`make rehearse PLANE=DIRECTORY`: the rehearsal of `dev` with Knative's own Kafka data plane.

Its receiver stands for the KafkaSinks, Brokers and channels, its dispatchers for the KafkaSources,
Triggers and Subscriptions, told by the rendered manifests. What a control plane does, namely to
tell them and to make a channel's topic, is done here.
"""

import asyncio
import json
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple

from stack.layout import LOOPBACK
from stack.ports import free_ports
from stack.topics import Topic, ensure
from tests.knative import contract, strimzi
from tests.knative.around import Around, servers, words
from tests.knative.places import Places
from tests.knative.plane import RECEIVER, SOURCES, TRIGGERS, Part, Plane
from tests.knative.records import Headers, Sent, both_ways, copies, send
from tests.knative.rehearse import PARTNER_ORDER, once, order, until
from tests.knative.running import STAYS, Failed, Rehearsal, every, say
from tests.unit.deploy.build import of_kind

BUILD = "dev"
SKU = "9780141439518"
MANY = 60
SLOW = 120.0
CAUSES = {
    "data_not_json", "data_missing", "attribute_too_long", "data_not_valid", "id_garbled",
    "sku_unknown",
}  # fmt: skip


class Scene(NamedTuple):
    """What the acts are played with."""

    rehearsal: Rehearsal
    plane: Plane
    kafka: str
    port: int

    def url(self, name: str, path: str = "") -> str:
        return self.rehearsal.places.url({"name": name}, path)

    def start(self, part: Part) -> None:
        told = self.plane.environment(part, self.port)
        self.rehearsal.start(part.settings, self.plane.command(part), told, None)

    def quire(self, *words: str) -> str:
        """The command line, in the place of orders-api's pod."""
        pod = self.rehearsal.pods["orders-api"]
        told = {**self.rehearsal.places.environment(pod), "QUIRE_URL": self.url("orders-api")}
        return self.rehearsal.run(words[0], [sys.executable, "-m", "cli.main", *words], told)

    def send(self, topic: str, *records: Sent) -> None:
        asyncio.run(send(self.kafka, topic, records))


def prepare(scene: Scene) -> None:
    """Tell receiver and dispatchers what the manifests say."""
    places, pods = scene.rehearsal.places, scene.rehearsal.pods

    def here(address: str) -> str:
        return places.here(address, pods["orders-api"])

    scene.plane.prepare(RECEIVER, contract.ingresses(BUILD, scene.kafka))
    scene.plane.prepare(SOURCES, contract.sources(BUILD, scene.kafka, here))
    scene.plane.prepare(TRIGGERS, contract.triggers(BUILD, scene.kafka, here))


def start_all(scene: Scene) -> None:
    rehearsal, places = scene.rehearsal, scene.rehearsal.places
    broker = {"ref": {"kind": "Broker", "name": "default"}}
    bound = {
        "wall": {
            "K_SINK": places.here(contract.address_of(broker, "quire"), rehearsal.pods["wall"]),
            "QUIRE_WALL_THRESHOLDS": "orders=1",
        }
    }
    scene.start(RECEIVER)
    for pod in rehearsal.pods.values():
        if pod.kind in STAYS:
            sink = bound.get(pod.name, {"K_SINK": scene.url("intake", "/events")})
            told = {**places.environment(pod), **sink}
            rehearsal.start(pod.name, places.command(pod), told, pod)
    rehearsal.until_ready()
    scene.start(SOURCES)
    scene.start(TRIGGERS)
    say(f"{rehearsal.count} processes, three of them Knative's own")


def orders(scene: Scene) -> None:
    """By the API and by a partner; each once, although the dispatcher is killed in between."""
    api = scene.url("orders-api")
    pod = scene.rehearsal.pods["orders-api"]
    order(scene.rehearsal, api, scene.rehearsal.places.environment(pod))
    goods = {"lines": [{"sku": SKU, "quantity": 500}], "reference": "note 7"}
    scene.send("partner.goods-receipts", (None, json.dumps(goods).encode(), []))
    until(
        "a partner's goods receipt by KafkaSource, intake and KafkaSink: received",
        f"{api}/stock/{SKU}",
        lambda told: told["on_hand"] >= 500,
        SLOW,
    )
    body = json.dumps(PARTNER_ORDER).encode()
    many: list[Sent] = [(f"ключ-{n}".encode(), body, []) for n in range(MANY)]
    scene.send("partner.orders", *many)
    until(
        "a partner's orders begin to come in",
        f"{api}/orders?limit=100",
        lambda told: len(told["orders"]) > 1,
        SLOW,
    )
    scene.rehearsal.kill(SOURCES.settings)
    scene.start(SOURCES)
    until(
        f"{MANY} orders of a partner, the dispatcher killed (-9) among them: each confirmed",
        f"{api}/orders?limit=100",
        lambda told: len(_closed(told)) == MANY + 1,
        SLOW,
    )


def _closed(told: Any) -> list[Any]:
    return [each for each in told["orders"] if each["status"] in {"confirmed", "completed"}]


def letters(scene: Scene, directory: Path) -> None:
    """What nobody takes is parked with its reason, and posted again when it can be taken."""
    api = scene.url("orders-api")
    body = json.dumps(PARTNER_ORDER).encode()
    told = {"specversion": "1.0", "id": "заказ", "source": "//shop", "type": "partner.order.v1"}
    event: Headers = [(f"ce_{name}", text.encode()) for name, text in told.items()]
    scene.send(
        "partner.orders",
        (b"k", b"no order", []),
        (b"k", None, []),
        (b"k", body, [("note", b"n" * 100_000)]),
        (b"k", body[:-1] + b',"x":"' + b"x" * 1_000_000 + b'"}', []),
        (b"k", body, [*event, ("content-type", b"application/json")]),
    )
    unknown = {"lines": [{"sku": "book-1", "quantity": 2}]}
    scene.send("partner.goods-receipts", (b"k", json.dumps(unknown).encode(), []))
    until(
        f"dead letters by the KafkaSink, parked: {', '.join(sorted(CAUSES))}",
        f"{api}/ops/parked?limit=100",
        lambda told: {each["cause"] for each in told["messages"]} == CAUSES,
        SLOW,
    )
    book = directory / "book.csv"
    book.write_text("book_id,isbn13,title,price_cents\n1,,A book,100\n")
    scene.quire("books", str(book))
    scene.quire("parked", "redrive", "--all", "--yes")
    until(
        "redriven to where it failed: the goods are received after all",
        f"{api}/stock/book-1",
        lambda told: told["on_hand"] == 2,
        SLOW,
    )


def facts(scene: Scene) -> None:
    """All of them in the Broker's topic, those of orders in the other team's, each once and in
    order on the wall."""
    wall = scene.url("wall", "/minutes")
    until(
        "every order stands once on the wall, in the minute at which it was placed",
        wall,
        lambda told: sum(each["orders"] for each in told["minutes"].values()) == MANY + 1,
        SLOW,
    )
    until(
        "what the wall posts to the Broker comes back by its Trigger",
        wall,
        lambda told: {each["minute"] for each in told["passed"]} == told["minutes"].keys(),
        SLOW,
    )
    end = time.monotonic() + SLOW
    while (said := asyncio.run(copies(scene.kafka))) is None:
        if time.monotonic() > end:
            raise Failed("the Brokers' topics do not hold what the log's does")
        time.sleep(1)
    say(said)


def sinks(scene: Scene) -> None:
    """A command posted to the KafkaSink is the very record that a Kafka client would write."""
    by_sink, direct = asyncio.run(
        both_ways(scene.kafka, f"http://{LOOPBACK}:{scene.port}/quire/{{sink}}")
    )
    if by_sink != direct:
        raise Failed(f"by the KafkaSink: {by_sink}, by Kafka: {direct}")
    say("a record by the KafkaSink is, byte for byte, the one of a Kafka client")


def rehearse(built: Path, directory: Path, around: Around) -> None:
    """All acts; raises Failed."""
    kafka = around.kafka.address
    asyncio.run(strimzi.reconcile(BUILD, around.kafka.operator))
    channels = [
        Topic(contract.topic_of(each), each["spec"]["numPartitions"])
        for each in of_kind(BUILD, "KafkaChannel")
    ]
    asyncio.run(ensure(kafka, channels))
    [port] = free_ports(1)
    address = f"{LOOPBACK}:{port}"
    led = words(BUILD, around, f"http://{address}")
    led |= dict.fromkeys(contract.INGRESS.values(), address)
    places = Places(BUILD, every(BUILD), directory, led, around.secrets, {})
    rehearsal = Rehearsal(BUILD, places, directory)
    scene = Scene(rehearsal, Plane(built, directory), kafka, port)
    try:
        once(rehearsal, ("Job",))
        prepare(scene)
        start_all(scene)
        orders(scene)
        facts(scene)
        letters(scene, directory)
        sinks(scene)
    except BaseException:
        with suppress(Failed):  # the first failure is the one to tell
            rehearsal.stop()
        raise
    rehearsal.stop(SOURCES.settings, TRIGGERS.settings)  # while there is who takes what they hold
    rehearsal.stop()


def main() -> None:
    """`python -m tests.knative.rehearse_plane DATA-PLANE`."""
    built = Path(sys.argv[1]).resolve()
    with ExitStack() as stack:
        made = tempfile.TemporaryDirectory(prefix="quire-rehearsal-")
        directory = Path(stack.enter_context(made))
        around = stack.enter_context(servers(BUILD, directory))
        try:
            rehearse(built, directory, around)
        except Failed as failed:
            sys.exit(f"rehearsal with the data plane failed: {failed}")
    say(f"rehearsal of {BUILD} with Knative's data plane: all as the manifests say")


if __name__ == "__main__":
    main()
