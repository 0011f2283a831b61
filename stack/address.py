"""Where the API answers when nobody names it."""

import os
from pathlib import Path

from stack.board import read
from stack.layout import Layout


def default_url(state_dir: Path | None = None) -> str:
    """QUIRE_URL, else the stack that runs on the state directory, else the usual port."""
    told = os.environ.get("QUIRE_URL")
    if told:
        return told
    if "QUIRE_PORT_BASE" not in os.environ:
        place = state_dir or Path(os.environ.get("QUIRE_STATE_DIR", ".quire"))
        board = read(Layout(place.absolute()))
        if board is not None and board.up and board.servers is not None:
            return board.servers.url
    return f"http://127.0.0.1:{os.environ.get('QUIRE_PORT_BASE', '8080')}"
