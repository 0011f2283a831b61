"""Parked messages, as whoever looks after a stack has to hear of them."""

import asyncio

import psycopg

from store.parked_choice import Choice, Group, groups

SECONDS = 3.0


async def parked(dsn: str) -> list[Group]:
    """By cause, the largest group first; none where Postgres does not answer."""
    try:
        async with asyncio.timeout(SECONDS):
            conn = await psycopg.AsyncConnection.connect(dsn, autocommit=True)
            async with conn:
                return await groups(conn, Choice())
    except (psycopg.Error, TimeoutError):
        return []


def told(found: list[Group]) -> str:
    """In one line: how many, and for which causes."""
    causes: dict[str, int] = {}
    for group in found:
        causes[group.cause] = causes.get(group.cause, 0) + group.messages
    return ", ".join(f"{count} {cause}" for cause, count in causes.items())
