"""Small tables for people; rich is imported only here, when one is drawn."""

from collections.abc import Iterable, Sequence

WIDE = 250


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Draw a table on stdout; the first column is never cut, nothing is when it is no terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDE)
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, head in enumerate(heads):
        drawn.add_column(head, no_wrap=True, min_width=36 if number == 0 and head == "order" else 0)
    for row in rows:
        drawn.add_row(*map(str, row))
    console.print(drawn, markup=False)
