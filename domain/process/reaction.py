"""A wish that a fact causes, as the table of the process writes it."""

from typing import NamedTuple

from domain.message import Command


class Reaction(NamedTuple):
    """`part` tells apart several commands of one kind that one fact causes."""

    command: Command
    part: str = ""
