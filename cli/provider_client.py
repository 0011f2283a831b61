"""Speaks to the simulated payment provider for the verbs that script or audit it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cli.output import Exit, Failure

if TYPE_CHECKING:
    from gateways.ledger import Entry


def provider_url(state_dir: Path) -> str:
    """QUIRE_PROVIDER_URL, else that of the stack which runs here; empty when there is none."""
    from stack.board import read, running
    from stack.layout import Layout

    told = os.environ.get("QUIRE_PROVIDER_URL")
    if told:
        return told
    layout = Layout(state_dir.absolute())
    board = read(layout) if running(layout) is not None else None
    return board.servers.provider if board is not None and board.servers is not None else ""


def required_url(state_dir: Path) -> str:
    url = provider_url(state_dir)
    if not url:
        raise Failure(
            "no_provider",
            f"no payment provider runs with the stack on {state_dir}",
            hint="Start the stack with `quire up`, or set QUIRE_PROVIDER_URL.",
            exit_code=Exit.NOT_REACHABLE,
        )
    return url


def entries(url: str, order_id: str = "") -> "Iterator[Entry]":
    """Its ledger, asked for over HTTP."""
    import httpx

    from gateways.ledger import parse_ledger

    params = {"order_id": order_id} if order_id else {}
    try:
        answer = httpx.get(f"{url}/v1/ledger", params=params, timeout=60)
        answer.raise_for_status()
    except httpx.HTTPError as fault:
        raise Failure(
            "not_reachable",
            f"the payment provider does not answer at {url}: {fault}",
            exit_code=Exit.NOT_REACHABLE,
        ) from fault
    return parse_ledger(answer.content.splitlines(keepends=True))
