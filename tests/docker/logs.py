"""What the containers of a stack said."""

import re

from tests.acceptance.compose import Compose

LOUD = re.compile(r"\b(WARN|WARNING|ERROR|CRITICAL|FATAL|PANIC)\b|Traceback")


def loud(project: Compose) -> list[str]:
    """Each line at WARNING or above, of all that were ever said."""
    said = project.run("logs", "--no-color", seconds=120).splitlines()
    assert any("worker-order" in line for line in said), "nobody said anything"
    return [line for line in said if LOUD.search(line)]
