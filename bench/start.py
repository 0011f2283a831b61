"""From the start of a process to the first 200 of its readiness path: `python -m bench.start`.

Of what Knative starts on demand. API and intake post to a sink, as there; Postgres is a real one.
An image's own part, the start of a container, is not in it.
"""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from statistics import median
from time import perf_counter

import msgspec

from bench import cpu
from bench.rounds import command
from bench.scratch import Scratch, servers
from stack.layout import LOOPBACK
from stack.ports import free_ports

READY = {"api": "/readyz", "intake": "/readyz", "wall": "/healthz"}
LOOK_SECONDS = 0.005
PATIENCE_SECONDS = 60.0


class Started(msgspec.Struct, frozen=True):
    """Milliseconds to the first 200, by round and their median; CPU of the process until then."""

    median_ms: float
    rounds_ms: list[float]
    cpu_ms: float


class Starts(msgspec.Struct, frozen=True):
    """`python` is an interpreter that does nothing, for comparison."""

    name: str
    python_ms: float
    api: Started
    intake: Started
    wall: Started
    target_ms: float


async def run(_: int, rounds: int) -> Starts:
    """Each in turn, so that whatever else the machine does falls on all of them."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in READY}
    nothing: list[float] = []
    async with servers() as scratch, _sink() as sink:
        for number in range(rounds + 1):
            began = perf_counter()
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", "pass")
            await process.wait()
            nothing.append((perf_counter() - began) * 1000)
            for name, path in READY.items():
                one = await _start(name, path, scratch, sink)
                if number:  # the first brings the files into memory
                    taken[name].append(one)
    told = {name: _told(rows) for name, rows in taken.items()}
    return Starts("start", round(median(nothing), 1), target_ms=1500.0, **told)


def _told(rows: list[tuple[float, float]]) -> Started:
    walls, spent = zip(*rows, strict=True)
    return Started(round(median(walls), 1), [round(each, 1) for each in walls], median(spent))


async def _start(name: str, path: str, scratch: Scratch, sink: str) -> tuple[float, float]:
    """Milliseconds that passed, and of CPU that it used."""
    [port] = free_ports(1)
    env = {
        "QUIRE_POSTGRES_DSN": scratch.app_dsn,
        "QUIRE_KAFKA": f"{LOOPBACK}:1",  # nobody there: nothing of these asks Kafka
        "QUIRE_SINK_URL": sink,
        "QUIRE_STATE_DIR": str(scratch.state_dir),
        f"QUIRE_{name.upper()}_PORT": str(port),
    }
    began = perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", "run", name),
        env={**os.environ, **env},
        stdout=sys.stderr,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await _is_ready(port, path):
                await asyncio.sleep(LOOK_SECONDS)
        passed = (perf_counter() - began) * 1000
        _, seconds = cpu.read({name: process.pid}, 0, 0).of[name]
        return passed, round(seconds * 1000, 1)
    finally:
        process.terminate()
        await process.wait()


async def _is_ready(port: int, path: str) -> bool:
    try:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.write(f"GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n".encode())
    try:
        return (await reader.readline()).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
    finally:
        writer.close()


@asynccontextmanager
async def _sink() -> AsyncGenerator[str]:
    """Answers as Knative's receiver does to what is no event: 400."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, LOOPBACK, 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://{LOOPBACK}:{port}/quire/{{sink}}"


if __name__ == "__main__":
    command(run, events=0, rounds=5)
