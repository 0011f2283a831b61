"""Checking hashes, versions and seals of one range of the log, as one piece of work."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domain.catalog import EVENTS
from store.codec import UPCASTERS
from store.invariants import Finding
from store.rawlog import RawLog, no_garbage
from store.sealcheck import SealCheck

_NO_CAUSE = bytes(16)


class First(NamedTuple):
    """The first fact of a stream in a range, when the stream began before: to be linked later."""

    stream: str
    version: int
    position: int
    hashed: bytes
    link: bytes


@dataclass
class Part:
    """What a range tells; `heads` is where its streams end in it."""

    after: int
    events: int = 0
    seals: int = 0
    sealed_to: int = 0
    heads: dict[str, tuple[int, bytes]] = field(default_factory=dict[str, tuple[int, bytes]])
    firsts: list[First] = field(default_factory=list[First])
    findings: list[Finding] = field(default_factory=list[Finding])


def check_range(
    dsn: str, snapshot: str, public_key: bytes | None, after: int, up_to: int | None
) -> Part:
    """Check the facts of a range, and the seals that end in it."""
    key = Ed25519PublicKey.from_public_bytes(public_key) if public_key else None
    part = Part(after)
    with RawLog(dsn, snapshot=snapshot) as log, no_garbage():
        seals = SealCheck(key, part.findings.append, log.seal_before(after))
        _check(log, part, seals, after, log.head if up_to is None else up_to)
        part.seals = seals.check(log.seals(after, up_to))
        part.sealed_to = seals.sealed_to
    return part


def _check(log: RawLog, part: Part, seals: SealCheck, after: int, up_to: int) -> None:
    """One page on purpose: a call a fact less is a tenth of the time."""
    heads, find, see, count = part.heads, part.findings.append, seals.see, 0
    sealed_to = log.sealed_to
    known_kinds = EVENTS.keys() | UPCASTERS.keys()
    for (
        position, version, id, occurred, recorded, causation, imported, link, names, data
    ) in log.rows(after, up_to):  # fmt: skip
        stream, kind, correlation, source = names.split("\t")
        line = (
            f"{stream}\t{version}\t{kind}\t{id.hex()}\t{occurred}\t{recorded}"
            f"\t{correlation}\t{causation.hex()}\t{source}\t{imported:d}\n"
        )
        head = heads.get(stream)
        if head is None and version != 1:
            part.firsts.append(First(stream, version, position, line.encode() + data, link))
        else:
            known, previous = head or (0, b"")
            if version != known + 1:
                find(Finding("version_gap", position, stream, f"{version} follows {known}"))
            if sha256(previous + line.encode() + data).digest() != link:
                find(Finding("hash_differs", position, stream, f"version {version}, {kind}"))
        heads[stream] = (version, link)
        if position <= sealed_to:
            see((position, names, link))
        if causation == _NO_CAUSE or not correlation or not source:
            find(Finding("no_cause", position, stream, f"version {version}, {kind}"))
        if kind not in known_kinds:
            find(Finding("unreadable", position, stream, f"nobody knows {kind}"))
        count += 1
    part.events = count
