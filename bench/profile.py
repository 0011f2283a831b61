"""Reads what QUIRE_PROFILE=DIRECTORY left: `python -m bench.profile DIRECTORY [--top N] [--json]`.

For each process the functions by their own share of its samples, and by the share in which they
were anywhere on the stack.
"""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import click
import msgspec


class Place(NamedTuple):
    """A function; shares are per cent of the process' samples."""

    function: str
    own: float
    within: float


def read(file: Path) -> tuple[int, list[Place]]:
    """The number of samples of a process, and its functions."""
    own: Counter[str] = Counter()
    within: Counter[str] = Counter()
    total = 0
    for line in file.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        names = stack.split(";")
        total += int(count)
        own[names[-1]] += int(count)
        for name in set(names):
            within[name] += int(count)
    scale = 100 / max(total, 1)
    return total, [
        Place(name, round(own[name] * scale, 1), round(count * scale, 1))
        for name, count in within.most_common()
    ]


@click.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--top", default=25, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(directory: Path, top: int, *, as_json: bool) -> None:
    """Show where each sampled process spent its CPU time."""
    for file in sorted(directory.glob("*.stacks")):
        total, places = read(file)
        best = sorted(places, key=lambda place: -place.own)[:top]
        wide = [place for place in places if place.within >= 3][: top * 2]
        if as_json:
            shown = {"process": file.stem, "samples": total, "own": best, "within": wide}
            click.echo(msgspec.json.encode(shown))
            continue
        click.echo(f"\n{file.stem}: {total} samples\n  own %  within %")
        for place in best:
            click.echo(f"  {place.own:5.1f} {place.within:8.1f}  {place.function}")
        click.echo("  by what is within")
        for place in wide:
            click.echo(f"  {place.own:5.1f} {place.within:8.1f}  {place.function}")


if __name__ == "__main__":
    main()
