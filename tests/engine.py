"""Whether there is a container engine with the images that a test needs; if not, why not."""

import shutil
import subprocess
from functools import cache

KAFKA = "apache/kafka:4.3.1"
POSTGRES = "postgres:17"
PYTHON = "python:3.13-slim"
MAIL = "axllent/mailpit:v1.27"
REAPER = "testcontainers/ryuk:0.8.1"

LOOK_SECONDS = 20
PULL_SECONDS = 180


def missing(*images: str) -> str:
    """Say what is missing in one sentence; empty when all is there."""
    lacking = _no_engine()
    return lacking or next((reason for image in images if (reason := _no_image(image))), "")


@cache
def _no_engine() -> str:
    if shutil.which("docker") is None:
        return "there is no container engine: the program `docker` is not installed"
    failed = _fails("docker", "info", seconds=LOOK_SECONDS)
    return f"there is no container engine: {failed}" if failed else ""


@cache
def _no_image(image: str) -> str:
    if not _fails("docker", "image", "inspect", image, seconds=LOOK_SECONDS):
        return ""
    failed = _fails("docker", "pull", "--quiet", image, seconds=PULL_SECONDS)
    return f"the image {image} is not here and cannot be pulled: {failed}" if failed else ""


def _fails(*words: str, seconds: float) -> str:
    """The last line of what it said when it failed."""
    try:
        done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return f"`{' '.join(words)}` does not answer within {seconds:g} s"
    said = done.stderr.strip().splitlines()
    return (said[-1] if said else f"exit {done.returncode}") if done.returncode else ""
