"""Whether there is a container engine with the images that a test needs; if not, why not."""

import re
import shutil
import subprocess
from functools import cache

KAFKA = "apache/kafka:4.3.1"
POSTGRES = "postgres:17"
PYTHON = "python:3.13-slim"
MAIL = "axllent/mailpit:v1.27"
REAPER = "testcontainers/ryuk:0.8.1"

COMPOSE = (2, 24)
"""The oldest compose that reads our file; docs/containers.md names it too."""

LOOK_SECONDS = 20
RUN_SECONDS = 120
PULL_SECONDS = 180


def missing(*images: str, compose: bool = False) -> str:
    """Say what is missing in one sentence; empty when all is there and a container runs."""
    lacking = _no_engine() or (_no_compose() if compose else "")
    lacking = lacking or next((reason for image in images if (reason := _no_image(image))), "")
    return lacking or (_cannot_run(POSTGRES) if POSTGRES in images else "")


@cache
def _no_engine() -> str:
    if shutil.which("docker") is None:
        return "there is no container engine: the program `docker` is not installed"
    failed = _fails("docker", "info", seconds=LOOK_SECONDS)
    return f"there is no container engine: {failed}" if failed else ""


@cache
def _no_compose() -> str:
    words = ("docker", "compose", "version", "--short")
    failed, said = _asked(*words, seconds=LOOK_SECONDS)
    if failed:
        return f"there is no docker compose: {failed}"
    found = re.match(r"v?(\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < COMPOSE:
        oldest = ".".join(str(each) for each in COMPOSE)
        return f"docker compose is {said or 'of no version'}, and has to be {oldest} or newer"
    return ""


@cache
def _cannot_run(image: str) -> str:
    words = ("docker", "run", "--rm", "--entrypoint", "true", image)
    failed = _fails(*words, seconds=RUN_SECONDS)
    return f"the engine runs no container: {failed}" if failed else ""


@cache
def _no_image(image: str) -> str:
    if not _fails("docker", "image", "inspect", image, seconds=LOOK_SECONDS):
        return ""
    failed = _fails("docker", "pull", "--quiet", image, seconds=PULL_SECONDS)
    return f"the image {image} is not here and cannot be pulled: {failed}" if failed else ""


def _fails(*words: str, seconds: float) -> str:
    """The last line of what it said when it failed."""
    return _asked(*words, seconds=seconds)[0]


def _asked(*words: str, seconds: float) -> tuple[str, str]:
    """(why it failed, empty when it did not; what it printed)."""
    try:
        done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return f"`{' '.join(words)}` does not answer within {seconds:g} s", ""
    said = done.stderr.strip().splitlines()
    failed = (said[-1] if said else f"exit {done.returncode}") if done.returncode else ""
    return failed, done.stdout.strip()
