"""An authority and a certificate of its own for a server on loopback, made when a test needs it."""

from pathlib import Path
from typing import NamedTuple

from stack.certificates import issue


class Files(NamedTuple):
    """PEM: the authority that a client may trust, the server's certificate, its key."""

    authority: Path
    certificate: Path
    key: Path


def certificates(directory: Path, address: str = "127.0.0.1") -> Files:
    """Written into `directory`; good for `address` alone."""
    directory.mkdir(parents=True, exist_ok=True)
    files = Files(*(directory / name for name in ("ca.pem", "server.pem", "server.key")))
    authority, servers = issue({"server": (address,)})
    files.authority.write_text(authority)
    files.certificate.write_text(servers["server"].certificate)
    files.key.write_text(servers["server"].key)
    return files
