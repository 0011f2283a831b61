"""The process that makes the load: `python -m bench.loader`, told by its parent on stdin.

It reads a Plan, makes all wishes, says `ready`, reads the moment to begin (on the monotonic clock
that all processes share), and writes what became of them to the file it is given as its argument.
"""

import gc
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import cast

import msgspec
import uvloop

from bench import http_load, kafka_load, plan
from bench.pacing import Pace
from bench.plan import Plan, Told


def main() -> None:
    told = msgspec.json.decode(sys.stdin.readline(), type=Plan)
    answer = uvloop.run(_kafka(told) if told.entry == "kafka" else _http(told))
    Path(sys.argv[1]).write_bytes(msgspec.json.encode(answer))


async def _kafka(told: Plan) -> Told:
    moments = told.moments()
    messages = plan.messages(told, moments, datetime.now(UTC))
    count = await kafka_load.partitions(told.kafka, kafka_load.TOPIC)
    rows = kafka_load.rows(messages, kafka_load.TOPIC, count)
    orders = [message.key for message in messages]
    del messages
    pace = _begin(moments)
    before = process_time()
    await kafka_load.send(told.kafka, rows, pace)
    return Told(orders, process_time() - before, _p99_ms(pace.late), {})


async def _http(told: Plan) -> Told:
    moments = told.moments()
    requests = plan.requests(told, len(moments))
    pace = _begin(moments)
    before = process_time()
    door = http_load.Door(told.url, requests, pace)
    await door.send()
    used = process_time() - before
    return Told(door.orders, used, _p99_ms(pace.late), dict(door.refused))


def _begin(moments: list[float]) -> Pace:
    gc.collect()
    gc.freeze()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    return Pace(moments, float(cast("str", sys.stdin.readline())))


def _p99_ms(late: list[float]) -> float:
    ordered = sorted(late)
    return round(ordered[int(len(ordered) * 0.99)] * 1000, 2) if ordered else 0.0


if __name__ == "__main__":
    main()
