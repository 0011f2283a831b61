"""The supervisor, with small real processes."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from signal import SIGKILL

import pytest

from stack.errors import StackFault
from stack.process import Spec, file_says_ready
from stack.supervisor import Kept, Standing, State, Supervisor

SERVES = "import os, signal; open(os.environ['READY'], 'w').write('ready'); signal.pause()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SERVES
WRITES_AND_ENDS = "print('the disk is full'); raise SystemExit(7)"
NEEDS_A_PERSON = "print('the schema is newer than the code'); raise SystemExit(78)"
PARENT = """
import asyncio, sys
from pathlib import Path
from stack import process
from stack.process import Spec, file_says_ready, spawn
process.LINUX = sys.argv[2] == "kernel"
async def main():
    child = await spawn(Spec("child", (sys.executable, "-c", "import signal; signal.pause()"),
        Path(sys.argv[1]), file_says_ready(Path("/nowhere"))))
    print(child.pid, flush=True)
    await child.wait()
asyncio.run(main())
"""


class Stage:
    """A supervisor, and all it said."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.said: list[str] = []
        self.supervisor = Supervisor(self.said.append)

    def spec(self, name: str, code: str = SERVES) -> Spec:
        ready = self.home / f"{name}.ready"
        return Spec(
            name=name,
            argv=(sys.executable, "-S", "-c", code),
            log=self.home / f"{name}.log",
            ready=file_says_ready(ready),
            env={"READY": str(ready)},
            before=partial(ready.unlink, missing_ok=True),
        )

    def standing(self, name: str) -> Standing:
        return next(each for each in self.supervisor.standings if each.name == name)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    await stage.supervisor.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def lives(pid: int | None) -> bool:
    assert pid is not None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


async def test_start_returns_when_all_are_ready(stage: Stage):
    await stage.supervisor.start([stage.spec("one"), stage.spec("two")])
    assert [(each.name, each.state) for each in stage.supervisor.standings] == [
        ("one", State.READY),
        ("two", State.READY),
    ]


async def test_what_dies_is_started_again_and_said(stage: Stage):
    await stage.supervisor.start([stage.spec("one")])
    before = stage.standing("one").pid
    stage.supervisor.kill("one")
    await until(lambda: stage.standing("one").restarts == 1)
    await until(lambda: stage.standing("one").state is State.READY)
    assert stage.standing("one").pid != before
    assert stage.said[0].startswith("one ended (signal 9); starting again in 0.2 s")


async def test_the_waits_grow(stage: Stage):
    await stage.supervisor.start([stage.spec("one")])
    for death in (1, 2, 3):
        stage.supervisor.kill("one")
        await until(lambda death=death: stage.standing("one").restarts == death)
        await until(lambda: stage.standing("one").state is State.READY)
    waits = [float(line.split()[-2]) for line in stage.said]
    assert waits == sorted(waits)
    assert waits[-1] >= 2 * waits[0]


async def test_who_never_gets_ready_ends_the_start_with_the_end_of_its_log(stage: Stage):
    with pytest.raises(StackFault, match="the disk is full") as fault:
        await stage.supervisor.start([stage.spec("one"), stage.spec("bad", WRITES_AND_ENDS)])
    assert fault.value.code == "process_died"


async def test_who_needs_a_person_is_not_started_again(stage: Stage):
    with pytest.raises(StackFault, match="the schema is newer") as fault:
        await stage.supervisor.start([stage.spec("lost", NEEDS_A_PERSON)])
    assert fault.value.code == "process_failed"
    assert stage.standing("lost").restarts == 0
    assert stage.standing("lost").state is State.FAILED


async def test_stop_leaves_nobody(stage: Stage):
    await stage.supervisor.start([stage.spec("one")])
    await stage.supervisor.start([stage.spec("two")])
    pids = [each.pid for each in stage.supervisor.standings]
    await stage.supervisor.stop()
    assert [lives(pid) for pid in pids] == [False, False]
    assert stage.said == []


async def test_the_last_started_are_stopped_first(stage: Stage):
    order: list[str] = []

    def note() -> None:
        stopped = [each.name for each in supervisor.standings if each.state is State.STOPPED]
        order.extend(name for name in stopped if name not in order)

    supervisor = Supervisor(stage.said.append, note)
    await supervisor.start([stage.spec("first")])
    await supervisor.start([stage.spec("second")])
    order.clear()
    await supervisor.stop()
    assert order == ["second", "first"]


async def test_who_does_not_listen_is_killed(stage: Stage):
    kept = Kept(
        replace(stage.spec("deaf", DEAF), stop_seconds=0.2), stage.said.append, lambda: None
    )
    kept.start()
    await kept.until_ready()
    pid = kept.standing.pid
    assert pid is not None
    await kept.stop()
    assert not lives(pid)
    assert stage.said == ["deaf did not stop in 0 s: killed"]


@pytest.fixture
def orphaned(tmp_path: Path) -> Callable[[str], Awaitable[int]]:
    async def orphan(how: str) -> int:
        parent = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PARENT, str(tmp_path / "log"), how),
            stdout=asyncio.subprocess.PIPE,
        )
        assert parent.stdout is not None
        pid = int(await parent.stdout.readline())
        assert lives(pid)
        parent.send_signal(SIGKILL)
        await parent.wait()
        return pid

    return orphan


KERNEL = pytest.param(
    "kernel", marks=pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has it")
)


@pytest.mark.parametrize("how", [KERNEL, "leash"])
async def test_children_end_when_their_supervisor_is_killed(
    orphaned: Callable[[str], Awaitable[int]], how: str
):
    pid = await orphaned(how)
    await until(lambda: not lives(pid))
