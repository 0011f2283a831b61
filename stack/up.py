"""Brings a stack up, keeps it up, and takes it down in the opposite order."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from os import environ, getpid
from signal import SIGHUP, SIGINT, SIGTERM
from time import monotonic
from typing import Any, TypeVar

import msgspec
import psycopg

from bus.refusal import refusal
from stack import board, database, doctor, kafka, postgres, processes, topics
from stack.board import Board, Phase, Servers
from stack.errors import StackFault, not_reachable
from stack.layout import LOOPBACK, Layout, Ports
from stack.ports import require_free
from stack.process import last_lines
from stack.secrets import load_or_make
from stack.settings import Settings
from stack.supervisor import Supervisor
from stack.through import Through
from stack.wanted import wanted_ports
from store import progress


class Up:
    """One run of the stack, from the first process to the last."""

    def __init__(
        self,
        layout: Layout,
        port_base: int,
        settings: Settings,
        say: Callable[[str], None],
        progressed: Callable[[str], None],
        *,
        servers_only: bool = False,
        wall: bool = False,
    ) -> None:
        self._servers_only = servers_only
        self._wall = wall
        self._layout = layout
        self._ports = Ports.from_base(port_base)
        self._settings = settings
        port = settings.through_port
        self._through = Through.from_base(port) if port is not None else None
        self._say = say
        self._progressed = progressed
        self._ending = False
        self._supervisor = Supervisor(say, self._write)
        metrics = settings.metrics_port
        self._board = Board(getpid(), port_base, datetime.now(UTC), metrics_port=metrics)

    async def run(self, when_up: Callable[[Board], None]) -> None:
        """Run until a signal asks for the end, or until the start fails."""
        asked = asyncio.Event()
        for signal in (SIGINT, SIGTERM, SIGHUP):
            asyncio.get_running_loop().add_signal_handler(signal, asked.set)
        self._write()
        starting = asyncio.create_task(self._start())
        asking = asyncio.create_task(asked.wait())
        try:
            await asyncio.wait({starting, asking}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                when_up(self._board)
                await asking
        except Exception as fault:
            self._becomes(fault=str(fault))
            raise
        finally:
            self._ending = True
            await _end(starting)
            await _end(asking)
            self._becomes(up=False)
            began = monotonic()
            if await self._supervisor.stop():
                self._say(f"stopped in {monotonic() - began:.1f} s")

    async def _start(self) -> None:
        require_free(
            wanted_ports(
                self._ports, self._settings, servers_only=self._servers_only, wall=self._wall
            )
        )
        (app_dsn, owner_dsn), bootstrap = await _together(self._postgres(), self._kafka())
        url = f"http://{LOOPBACK}:{self._ports.api}"
        own_provider = self._settings.provider_url is None
        provider = self._settings.provider_url or ""
        if own_provider:
            provider = f"http://{LOOPBACK}:{self._ports.provider}"
        self._becomes(servers=Servers(url, app_dsn, owner_dsn, bootstrap, provider))
        if self._servers_only:
            self._becomes(up=True)
            return
        env = {
            "QUIRE_POSTGRES_DSN": app_dsn,
            "QUIRE_KAFKA": bootstrap,
            "QUIRE_STATE_DIR": str(self._layout.root),
            "QUIRE_API_HOST": LOOPBACK,
            "QUIRE_API_PORT": str(self._ports.api),
            "QUIRE_PROVIDER_URL": provider,
            "QUIRE_PROVIDER_PORT": str(self._ports.provider),
            "QUIRE_WEBHOOK_URL": f"{url}/webhooks/payments",
            **processes.intake_env(self._ports.intake),
        }
        if self._through is not None:
            env |= self._through.env(app_dsn, provider)
        own_mail = self._settings.smtp_host is None
        if own_mail:
            env |= processes.mail_env(self._ports.mail)
        more: dict[str, tuple[str, ...]] = {}
        if self._wall:
            env |= processes.wall_env(self._ports.wall, url, env["QUIRE_REDRIVE_TARGETS"])
            more = processes.wall(self._ports.wall)
        with self._phase("processes"):
            await self._supervisor.start(
                processes.specs(
                    self._layout,
                    env,
                    own_provider=own_provider,
                    own_mail=own_mail,
                    more=more,
                    metrics_port=self._settings.metrics_port,
                )
            )
        if not await _has_stock(app_dsn):
            with self._phase("catalogue"):
                await self._verb("books", "--demo", "--url", url, env=env)
        self._becomes(up=True)

    async def _postgres(self) -> tuple[str, str]:
        """Give the DSN of the service and of the migrations, with the schema in place."""
        given = self._settings.postgres_dsn
        if given is not None:
            app_dsn = given.get_secret_value()
            owner_dsn = (self._settings.postgres_owner_dsn or given).get_secret_value()
            await postgres.require(app_dsn, "QUIRE_POSTGRES_DSN")
            await postgres.require(owner_dsn, "QUIRE_POSTGRES_OWNER_DSN")
        else:
            with self._phase("postgres"):
                app_dsn, owner_dsn = await self._own_postgres()
        with self._phase("migrations"):
            env = {"QUIRE_POSTGRES_DSN": app_dsn, "QUIRE_POSTGRES_OWNER_DSN": owner_dsn}
            await self._verb("migrate", env=env)
        return app_dsn, owner_dsn

    async def _own_postgres(self) -> tuple[str, str]:
        port = self._ports.postgres
        secrets = load_or_make(self._layout.secrets)
        spec = await asyncio.to_thread(postgres.prepare, self._layout.postgres, port, secrets)
        await self._supervisor.start([spec])
        await database.ensure(secrets, port)
        return secrets.app_dsn(port), secrets.owner_dsn(port)

    async def _kafka(self) -> str:
        """Give the address of a Kafka that has our topics."""
        bootstrap = self._settings.kafka
        for what, fix in doctor.kafka_settings(self._settings):
            raise StackFault("settings_wrong", what, fix)
        if bootstrap is None:
            bootstrap = f"{LOOPBACK}:{self._ports.kafka}"
            with self._phase("kafka"):
                spec = await asyncio.to_thread(
                    kafka.prepare,
                    self._layout.kafka,
                    self._ports.kafka,
                    self._ports.controller,
                    self._fetched,
                    self._through,
                )
                await self._supervisor.start([spec])
        elif not await kafka.answers(bootstrap):
            if refused := await refusal(bootstrap):
                fix = "Mend QUIRE_KAFKA_USERNAME or QUIRE_KAFKA_PASSWORD."
                raise StackFault("login_refused", f"Kafka does not let us in: {refused}", fix)
            raise not_reachable("Kafka", "QUIRE_KAFKA")
        with self._phase("topics"):
            await topics.ensure(bootstrap)
        return bootstrap

    async def _verb(self, *words: str, env: dict[str, str]) -> None:
        """Run one of our own verbs to its end; its log tells what went wrong."""
        log = self._layout.log(words[0])
        with log.open("wb") as stream:
            process: Process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "cli.main", *words),
                stdin=DEVNULL,
                stdout=stream,
                stderr=stream,
                env={**environ, **env},
            )
            try:
                code = await process.wait()
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        if code:
            raise StackFault(
                f"{words[0]}_failed",
                f"`quire {' '.join(words)}` ended with exit code {code}:\n{last_lines(log)}",
                f"The whole of it stands in {log}.",
            )

    def _fetched(self, message: str) -> None:
        if self._ending:  # the thread that fetches cannot be cancelled, but it can be told
            raise StackFault("interrupted", "stopped while fetching")
        self._progressed(message)

    @contextmanager
    def _phase(self, name: str) -> Generator[None]:
        began = monotonic()
        yield
        phase = Phase(name, round(monotonic() - began, 2))
        self._say(f"{name:<12} {phase.seconds:6.2f} s")
        self._becomes(phases=(*self._board.phases, phase))

    def _becomes(self, **changes: Any) -> None:
        self._board = msgspec.structs.replace(self._board, **changes)
        self._write()

    def _write(self) -> None:
        standings = tuple(self._supervisor.standings)
        self._board = msgspec.structs.replace(self._board, processes=standings)
        board.write(self._layout, self._board)


A = TypeVar("A")
B = TypeVar("B")


async def _together(first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B]) -> tuple[A, B]:
    """Run both; when one fails, end the other and raise what it raised."""
    one, two = asyncio.create_task(first), asyncio.create_task(second)
    try:
        return await asyncio.gather(one, two)
    finally:
        await _end(one)
        await _end(two)


async def _end(task: asyncio.Task[Any]) -> None:
    if not task.done():
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _has_stock(dsn: str) -> bool:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn:
        return await progress.has_stock(conn)
