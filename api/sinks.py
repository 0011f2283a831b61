"""Publishing over HTTP: a command goes to the KafkaSink of its topic, without a Kafka client.

In structured mode with the data in base64: Knative's receiver takes a header as it stands, so a key
that is not plain ASCII would reach the topic percent-encoded; and JSON data would be written anew.
"""

import asyncio
from base64 import b64encode

import msgspec

from bus.message import Message
from bus.publisher import PublishFailed, TooLarge
from gateways.http_client import Answer, Broken, Client, NotSent

CONNECT_SECONDS = 2.0
IDLE_SECONDS = 3.0
STRUCTURED = {"Content-Type": "application/cloudevents+json"}
PLACE = "{sink}"
NOT_AN_EVENT = 400
TOO_LARGE = 413

_encode = msgspec.json.Encoder().encode


class SinkPublisher:
    """Posts to one address a topic: `address` with the name of its sink in the place of {sink}."""

    def __init__(self, address: str, *, timeout_seconds: float = 10) -> None:
        self._address = address
        self._timeout = timeout_seconds
        self._clients: dict[str, Client] = {}

    async def publish(self, topic: str, message: Message) -> None:
        """Return when the sink has said that all replicas have it; raises PublishFailed."""
        answer = await self._post(topic, structured(message), STRUCTURED)
        if answer.status == TOO_LARGE:
            raise TooLarge(f"{topic}: its sink takes no record of that size")
        if not 200 <= answer.status < 300:
            raise PublishFailed(f"{topic}: its sink answers {answer.status}")

    async def look(self, topic: str) -> None:
        """Return when the topic's sink is there; raises PublishFailed. Publishes nothing."""
        answer = await self._post(topic, b"", {})
        if answer.status != NOT_AN_EVENT:
            raise PublishFailed(f"{topic}: its sink answers {answer.status} to an empty request")

    async def _post(self, topic: str, body: bytes, headers: dict[str, str]) -> Answer:
        client = self._clients.get(topic)
        if client is None:
            address = address_of(self._address, topic)
            client = self._clients[topic] = Client(
                address, connect_seconds=CONNECT_SECONDS, idle_seconds=IDLE_SECONDS
            )
        try:
            async with asyncio.timeout(self._timeout):
                return await client.post("", body, headers)
        except (NotSent, Broken, TimeoutError) as fault:
            raise PublishFailed(f"{topic}: its sink does not answer: {fault!r}") from fault

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


def address_of(address: str, topic: str) -> str:
    """The sink of a topic is called as the topic, with dashes, since dots part names elsewhere."""
    return address.replace(PLACE, topic.replace(".", "-"))


def structured(message: Message) -> bytes:
    """The message as one JSON document; every attribute is a string."""
    told = {name[3:]: text.decode() for name, text in message.headers() if name.startswith("ce_")}
    data = b64encode(message.data).decode()
    return _encode({**told, "datacontenttype": "application/json", "data_base64": data})
