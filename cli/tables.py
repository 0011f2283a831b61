"""Small tables for people; rich is imported only here, when one is drawn."""

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Draw a table on stdout; nothing is cut off when it is no terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(soft_wrap=False)
    drawn = Table(*heads, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        drawn.add_row(*map(str, row))
    if not console.is_terminal:
        console.width = max(console.width, console.measure(drawn).maximum)
    console.print(drawn, markup=False)
