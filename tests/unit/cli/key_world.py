"""`quire keys make` on directories of a test, and what it left there."""

from pathlib import Path

from cli.key_files import NOTE, READABLE
from cli.keys import make

EVERY = ("app", "owner", "tls", "kafka")


def run(root: Path, *names: str, shared: bool = False) -> None:
    words = [f"--{name}={root / name}" for name in names]
    make.main([*words, *(["--shared"] if shared else [])], standalone_mode=False)


def files(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text()
        for path in root.rglob("*")
        if path.is_file() and path.name != NOTE
    }


def modes(root: Path) -> dict[str, int]:
    return {name: (root / name).stat().st_mode & 0o777 for name in files(root)}


def of_an_earlier_quire(root: Path) -> None:
    """It took no note of what it wrote, and let everybody read it."""
    for note in root.rglob(NOTE):
        note.unlink()
    for name in files(root):
        (root / name).chmod(READABLE)
