"""What each process may do in Kafka, as a user of its own: the least that it works with."""

from typing import Any, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest

from bus.security import security
from domain.catalog import TOPICS
from stack.errors import StackFault
from stack.lag import READERS

# Kafka's own numbers.
TOPIC, GROUP = 2, 3
READ, WRITE = 3, 4  # each of them brings the right to describe along
LITERAL, ALLOW = 3, 3

COMMANDS = tuple(TOPICS.values())
LETTERS = "quire.dead-letters"
WRITES: dict[str, tuple[str, ...]] = {
    "api": COMMANDS,
    "intake": COMMANDS,
    "relay": (*COMMANDS, "quire.events"),
    "timers": COMMANDS,
    "sealer": ("quire.seals",),
    "source": (LETTERS,),
}
USERS = tuple(sorted({*WRITES, *READERS}))
"""Each has the name of its process; `admin` beside them may do everything."""


class Right(NamedTuple):
    """One thing that one user may do."""

    user: str
    kind: int
    name: str
    operation: int


def rights() -> list[Right]:
    """All of them; partners' own users are not ours to know."""
    writing = [Right(user, TOPIC, topic, WRITE) for user in WRITES for topic in WRITES[user]]
    reading = [
        Right(user, TOPIC, topic, READ) for user, each in READERS.items() for topic in each.topics
    ]
    joining = [Right(user, GROUP, each.group, READ) for user, each in READERS.items()]
    return [*writing, *reading, *joining]


async def allow(bootstrap: str) -> int:
    """Give every user its rights and say how many there are; those that are there already stay.

    Whoever calls has to be the cluster's administrator. Raises KafkaError, StackFault.
    """
    client: Any = AIOKafkaClient(bootstrap_servers=bootstrap, **security().settings())
    try:
        await client.bootstrap()
        wanted = rights()
        for user, kind, name, operation in wanted:
            asked = CreateAclsRequest(kind, name, LITERAL, f"User:{user}", "*", operation, ALLOW)
            node = client.get_random_node()
            answer = await client.send(node, asked)
            for code, message in answer.creation_responses:
                if code:
                    fault = for_code(code).__name__
                    raise StackFault("right_refused", f"{user} on {name}: {fault} {message or ''}")
    finally:
        await client.close()
    return len(wanted)
