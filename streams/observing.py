"""A process with its page of metrics beside it, where Prometheus asks."""

from collections.abc import Callable, Coroutine
from typing import Any

from gateways.serving import refuse_open
from streams.settings import SourceSettings
from telemetry import page
from telemetry.registry import of_this_process


async def observed(
    settings: SourceSettings, process: Callable[[], Coroutine[Any, Any, None]]
) -> None:
    """Run it; from its first moment, while it waits for its servers too, the page is there."""
    if not settings.metrics_port:
        await process()
        return
    host = settings.metrics_host
    refuse_open(host, allowed=settings.allow_open)
    async with page.serving(of_this_process(), host, settings.metrics_port):
        await process()
