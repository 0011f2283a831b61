"""The mail sink of the local stack as a process."""

from pathlib import Path

from gateways.mailsink import listen
from streams.lifecycle import ready, stopping


async def run(port: int, state_dir: Path) -> None:
    """Take mail into `mail/` of the state directory until SIGTERM."""
    server = await listen(port, state_dir / "mail")
    ready()
    await stopping().wait()
    server.close()
