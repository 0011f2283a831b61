"""The rules for receivers of docs/knative.md, each held by the intake, byte by byte over HTTP.

The requests are written out as Knative's dispatcher 1.23 was seen to send them. Each test is named
after its rule; another receiver can be asked the same by giving it in the place of the intake.
"""

import asyncio
import inspect
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec
import pytest

from api.sinks import SinkPublisher
from bus.publisher import KafkaPublisher
from domain.message import Money
from domain.order.messages import PlaceOrder
from store import catalogue
from store.catalogue import Item
from store.connect import connect
from streams.settings import SourceSettings
from tests.integration.intake_world import ORDER, Intake, serving

PAGE = Path(__file__).parents[2] / "docs" / "knative.md"
LATER = {404, 408, 409, 429}
BODY = msgspec.json.encode(ORDER)

DELIVERED = """\
POST /events HTTP/1.1
user-agent: Vert.x-WebClient/4.5.21
Prefer: reply
Kn-Namespace: quire
ce-specversion: 1.0
ce-id: {id}
ce-source: //partner.example/shop
ce-type: partner.order.v1
content-type: application/json
ce-knativekafkapartition: 2
ce-sourcename: partner-orders
ce-knativekafkaoffset: 41
traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
"""
"""A CloudEvent of a topic, in binary mode."""

PLAIN = """\
POST /events HTTP/1.1
user-agent: Vert.x-WebClient/4.5.21
Prefer: reply
Kn-Namespace: quire
ce-specversion: 1.0
ce-id: partition:0/offset:{offset}
ce-source: /apis/v1/namespaces/quire/kafkasources/{source}#partner.orders
ce-type: dev.knative.kafka.event
ce-subject: partition:0#{offset}
ce-time: 2026-11-21T12:00:00.123Z
ce-partitionkey: ????-k-1
ce-kafkaheadershop: Zürich
ce-knativekafkapartition: 0
ce-sourcename: partner-orders
ce-knativekafkaoffset: {offset}
ce-key: ????-k-1
"""
"""A record that is no CloudEvent, with a key in Cyrillic."""


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


async def ask(intake: Intake, head: str, body: bytes = BODY) -> Answer:
    """One request as it is written; the answer to its end."""
    where = urlsplit(intake.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    length = f"content-length: {len(body)}\n" if body else ""
    lines = f"{head}{length}host: {where.netloc}\nconnection: close\n\n"
    writer.write(lines.replace("\n", "\r\n").encode("latin-1") + body)
    answer = await reader.read()
    writer.close()
    told, _, said = answer.partition(b"\r\n\r\n")
    first, *rest = told.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in rest)
    return Answer(int(first.split()[1]), headers, said)


def placed(intake: Intake) -> int:
    return sum(isinstance(command, PlaceOrder) for command in intake.commands())


@pytest.fixture
async def intake(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Intake]:
    async with await connect(postgres_dsn, name="test") as conn:
        await catalogue.put(conn, [Item("mug", "Mug", Money(500, "EUR"))])
    async with serving(postgres_dsn, tmp_path) as made:
        yield made


async def test_rule_1_taken_is_2xx_without_a_body_once_it_is_safe(intake: Intake):
    answer = await ask(intake, DELIVERED.format(id="rule-1"))
    assert (answer.status, answer.body, placed(intake)) == (202, b"", 1)


async def test_rule_2_a_repeat_changes_nothing(intake: Intake):
    for _ in range(3):
        assert (await ask(intake, DELIVERED.format(id="rule-2"))).status == 202
    assert placed(intake) == 1
    for source in ("partner-orders", "partner-orders-made-anew"):  # known by sourcename
        assert (await ask(intake, PLAIN.format(offset=2, source=source))).status == 202
    assert placed(intake) == 2


async def test_rule_3_later_is_said_by_a_status_that_is_tried_again(intake: Intake):
    intake.kept.down = True
    answer = await ask(intake, DELIVERED.format(id="rule-3"))
    assert answer.status in LATER or answer.status >= 500
    scan = b'{"tracking": "T?", "status": "in_transit", "at": "2026-11-20T10:00:00Z"}'
    head = DELIVERED.format(id="rule-3-scan").replace("order.v1", "scan.v1")
    assert (await ask(intake, head, scan)).status in LATER
    intake.kept.down = False
    assert (await ask(intake, DELIVERED.format(id="rule-3"))).status == 202
    assert placed(intake) == 1


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (DELIVERED.replace("order.v1", "unheard.v1"), BODY),
        (DELIVERED, b"{"),
        (DELIVERED, b'{"lines": 1}'),
        (DELIVERED.replace("application/json", "text/plain"), BODY),
        (DELIVERED.replace("ce-", "x-"), BODY),
        (DELIVERED.replace("specversion: 1.0", "specversion: 0.3"), BODY),
        (PLAIN.replace("#partner.orders", "#partner.other"), BODY),
    ],
)
async def test_rules_4_and_5_never_is_another_4xx_and_says_why(
    intake: Intake, head: str, body: bytes
):
    answer = await ask(intake, head.format(id="rule-4", offset=4, source="x"), body)
    assert 400 <= answer.status < 500
    assert answer.status not in LATER
    assert re.fullmatch(r"[a-z_]+", answer.headers["kne-reason"])
    assert placed(intake) == 0


async def test_rule_6_every_mode_and_headers_in_any_case(intake: Intake):
    loud = DELIVERED.format(id="rule-6").replace("ce-id", "Ce-Id").replace("ce-type", "CE-TYPE")
    assert (await ask(intake, loud)).status == 202
    event = {"specversion": "1.0", "id": "rule-6s", "source": "//x", "type": "partner.order.v1"}
    head = "POST /events HTTP/1.1\ncontent-type: application/cloudevents{}; charset=utf-8\n"
    one = msgspec.json.encode({**event, "data": ORDER})
    assert (await ask(intake, head.format("+json"), one)).status == 202
    two = msgspec.json.encode([{**event, "id": f"rule-6b{n}", "data": ORDER} for n in (1, 2)])
    assert (await ask(intake, head.format("-batch+json"), two)).status == 202
    assert placed(intake) == 4


async def test_rule_7_plain_records_and_those_without_a_value(intake: Intake):
    assert (await ask(intake, PLAIN.format(offset=7, source="partner-orders"))).status == 202
    assert placed(intake) == 1
    tombstone = await ask(intake, PLAIN.format(offset=8, source="partner-orders"), b"")
    assert (tombstone.status, tombstone.headers["kne-reason"]) == (422, "data_missing")


async def test_rule_8_unknown_extensions_stay_and_ours_are_not_believed(intake: Intake):
    ours = (
        "ce-shop: north\nce-correlation: evil\nce-causation: evil\nce-prev: evil\nce-position: 1\n"
    )
    assert (await ask(intake, DELIVERED.format(id="rule-8") + ours)).status == 202
    [(_, message)] = intake.kept.messages
    told = dict(message.extensions)
    assert told["shop"] == "north"
    assert "evil" not in (message.correlation, *told.values())
    assert (message.causation, message.prev, message.position) == (None, None, None)


async def test_rule_9_an_answer_comes_before_the_delivery_gives_up(intake: Intake):
    patience = SourceSettings.model_fields["source_timeout_seconds"].default
    for publisher in (SinkPublisher, KafkaPublisher):
        assert inspect.signature(publisher).parameters["timeout_seconds"].default < patience


async def test_rule_10_never_is_said_at_once_although_nothing_can_be_sent(intake: Intake):
    intake.kept.down = True
    answer = await ask(intake, DELIVERED.format(id="rule-10"), b"no json")
    assert answer.status == 422


async def test_rule_11_attributes_are_taken_as_they_stand(intake: Intake):
    for id in ("a%2Fb", "a/b", "100%", "Zoë"):  # none of them is another one
        assert (await ask(intake, DELIVERED.format(id=id))).status == 202
    assert placed(intake) == 4
    assert (await ask(intake, DELIVERED.format(id="a%2Fb"))).status == 202
    encoded = DELIVERED.format(id="a%2Fb").replace("Kn-Namespace: quire\n", "")
    assert (await ask(intake, encoded)).status == 202  # a/b, as the HTTP binding writes it
    assert placed(intake) == 4


@pytest.mark.parametrize("head", [DELIVERED, DELIVERED.replace("shop", "????")])
async def test_rule_11_an_id_that_lost_its_letters_is_nobodys(intake: Intake, head: str):
    """It may have been any word: two orders would be taken for one."""
    id = "rule-11" if "????" in head else "?????"
    answer = await ask(intake, head.format(id=id))
    assert (answer.status, answer.headers["kne-reason"]) == (422, "id_garbled")
    redriven = head.format(id=id).replace("Kn-Namespace: quire\n", "").replace("?", "%3F")
    assert (await ask(intake, redriven)).headers["kne-reason"] == "id_garbled"
    elsewhere = DELIVERED.format(id=f"what?{id}").replace("ce-knativekafkaoffset: 41\n", "")
    assert (await ask(intake, elsewhere)).status == 202
    assert placed(intake) == 1


def test_every_rule_of_the_page_has_its_test():
    rules = PAGE.read_text().split("## Rules for receivers")[1].split("\n## ")[0]
    listed = set(re.findall(r"^(\d+)\. ", rules, re.MULTILINE))
    named = [name for name in globals() if name.startswith("test_rule")]
    assert listed == {number for name in named for number in re.findall(r"_(\d+)", name)}
