"""The roles and the database of a local Postgres; what they may do is the migrations' word."""

import psycopg
from psycopg import sql

from stack.secrets import DATABASE, Secrets

OWNER = "quire_owner"
APP = "quire_app"


async def ensure(secrets: Secrets, port: int, database: str = DATABASE) -> None:
    """Make what is missing: the migrations' role, the service's role, the database."""
    async with await psycopg.AsyncConnection.connect(
        secrets.admin_dsn(port), autocommit=True
    ) as conn:
        for role, password in ((OWNER, secrets.owner), (APP, secrets.app)):
            await _ensure_role(conn, role, password)
        found = await conn.execute("select 1 from pg_database where datname = %s", [database])
        if await found.fetchone() is None:
            names = (sql.Identifier(database), sql.Identifier(OWNER))
            await conn.execute(sql.SQL("create database {} owner {}").format(*names))


async def _ensure_role(conn: psycopg.AsyncConnection, role: str, password: str) -> None:
    found = await conn.execute("select 1 from pg_roles where rolname = %s", [role])
    verb = "create" if await found.fetchone() is None else "alter"
    await conn.execute(
        sql.SQL("{} role {} login password {}").format(
            sql.SQL(verb), sql.Identifier(role), sql.Literal(password)
        )
    )
