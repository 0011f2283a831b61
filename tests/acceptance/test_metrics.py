"""Each process tells what it did, on a page of its own."""

import re

import httpx

from stack.layout import LOOPBACK
from telemetry.table import BY_NAME, TABLE
from tests.acceptance.laptop import Laptop
from tests.acceptance.shop import Shop
from tests.acceptance.wait import until

SERIES = re.compile(r"^(\w+?)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
KNOWN = {
    series
    for metric in TABLE
    for series in (*metric.series, f"{metric.name.removesuffix('_total')}_created")
}
HAPPENED = {
    "worker-order": "quire_messages_total",
    "worker-inventory": "quire_messages_total",
    "worker-payment": "quire_outside_answers_total",
    "worker-shipping": "quire_outside_answers_total",
    "worker-notification": "quire_messages_total",
    "relay": "quire_relay_commands_total",
    "projector": "quire_projector_facts_total",
    "sealer": "quire_sealer_seals_total",
    "timers": "quire_timers_announced_total",
}
QUIET = (
    "quire_lag_messages",
    "quire_reader_lag_positions",
    "quire_timers_due",
    "quire_wishes_waiting",
)


def figures(port: int) -> dict[str, float]:
    """The sum of each series over its labels."""
    found: dict[str, float] = {}
    text = httpx.get(f"http://{LOOPBACK}:{port}/metrics").raise_for_status().text
    for name, _, value in SERIES.findall(text):
        found[name] = found.get(name, 0) + float(value)
    return found


def test_each_process_tells_what_it_did_and_what_is_left(laptop: Laptop, shop: Shop):
    shop.delivered(shop.place((shop.book(2), 1))["order_id"])
    ports = laptop.metrics_ports
    for name, port in ports.items():
        told = figures(port)
        ours = {series for series in told if series.startswith("quire_")}
        assert ours <= KNOWN, name
        assert told["process_resident_memory_bytes"] > 0
        assert told["quire_turn_timestamp_seconds"] > 0
        if name in HAPPENED:
            assert HAPPENED[name] in BY_NAME
            assert told[HAPPENED[name]] > 0, name
        if name.startswith("worker-") and name != "worker-dead-letters":
            assert told["quire_partitions"] == 6, name

    def all_is_done() -> bool:
        """Parcels and seals of the moment come to an end too."""
        told = {name: figures(port) for name, port in ports.items()}
        for name, agents in told.items():
            of_one = name.startswith("worker-") and name != "worker-dead-letters"
            assert ("quire_lag_messages" in agents) == of_one, name
        left = {name: sum(each.get(name, 0) for each in told.values()) for name in QUIET}
        assert all(any(name in each for each in told.values()) for name in QUIET)
        return not any(left.values())

    until(all_is_done)
