"""A relay between the topics of a test, as a process that can be killed."""

import json
import sys

from streams.lifecycle import run, stopping
from streams.reactions import Routes
from streams.relay import relay
from streams.settings import Settings
from tests.orphans import die_with_parent


async def main() -> None:
    settings = Settings()  # pyright: ignore[reportCallIssue] the environment fills it
    await relay(settings, stopping(), Routes(**json.loads(sys.argv[1])))


if __name__ == "__main__":
    die_with_parent()
    run(main)
