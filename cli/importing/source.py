"""A file or stdin, plain or zstd, as one plain file with a fingerprint."""

import sys
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import IO, NamedTuple

import zstandard

_MAGIC = b"\x28\xb5\x2f\xfd"
_CHUNK = 1 << 20


class NotReadable(Exception):
    """The file is not what it says; `line` is where, when that is known."""

    def __init__(self, code: str, message: str, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.code = code
        self.line = line


class Source(NamedTuple):
    """The plain bytes, which can be read again from the start, and their SHA-256."""

    file: IO[bytes]
    digest: str
    size: int


def open_source(name: str) -> Source:
    """Open `name`, or stdin for `-`; raises NotReadable."""
    if name == "-":
        return _spool(sys.stdin.buffer, name)
    try:
        with Path(name).open("rb") as given:
            return _spool(given, name)
    except OSError as fault:
        raise NotReadable("not_readable", f"{name}: {fault.strerror}") from fault


def _spool(given: IO[bytes], name: str) -> Source:
    """Copy to a temporary file, unpacked: two passes are made, and stdin has only one."""
    plain: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 it lives as long as the Source
    digest = sha256()
    chunk = given.read(_CHUNK)
    packed = chunk.startswith(_MAGIC)
    if name.endswith(".zst") and not packed:
        raise NotReadable("not_zstd", f"{name} is named .zst and is no zstd file")
    unpack = _Unpacker() if packed else None
    while chunk:
        data = unpack.feed(chunk) if unpack else chunk
        digest.update(data)
        plain.write(data)
        chunk = given.read(_CHUNK)
    if unpack and not unpack.complete:
        raise NotReadable("truncated", f"{name} ends in the middle of a zstd frame")
    size = plain.tell()
    plain.seek(0)
    return Source(plain, digest.hexdigest(), size)


class _Unpacker:
    """Several zstd frames behind one another; knows whether the last one came to its end."""

    def __init__(self) -> None:
        self._frame = zstandard.ZstdDecompressor().decompressobj()

    @property
    def complete(self) -> bool:
        return self._frame.eof

    def feed(self, chunk: bytes) -> bytes:
        plain = b""
        try:
            while chunk:
                if self._frame.eof:
                    self._frame = zstandard.ZstdDecompressor().decompressobj()
                plain += self._frame.decompress(chunk)
                chunk = self._frame.unused_data if self._frame.eof else b""
        except zstandard.ZstdError as fault:
            raise NotReadable("not_zstd", f"the zstd data are damaged: {fault}") from fault
        return plain
