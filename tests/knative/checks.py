"""What a role or a user may see, and no more: looked at as itself."""

from typing import Any

import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.helpers import create_ssl_context
from psycopg.errors import InsufficientPrivilege

from tests.knative.cloudnative import Postgres
from tests.knative.running import Failed
from tests.knative.secrets import Secrets
from tests.knative.strimzi import Kafka
from tests.unit.deploy.build import of_kind


def reader_only_reads(postgres: Postgres, secrets: Secrets) -> str:
    """quire_reader sees the log and changes nothing; nobody comes in without TLS."""
    name, password = (secrets["postgres-reader", key] for key in ("username", "password"))
    dsn = f"postgresql://{name}:{password}@{postgres.address}/quire"
    with psycopg.connect(dsn, autocommit=True) as conn:
        [count] = conn.execute("select count(*) from event").fetchone() or (0,)
        if not count:
            raise Failed(f"{name} sees no facts")
        try:
            conn.execute("delete from timer")
        except InsufficientPrivilege:
            pass
        else:
            raise Failed(f"{name} may delete")
    try:
        psycopg.connect(f"{dsn}?sslmode=disable").close()
    except psycopg.OperationalError:
        return f"{name} sees {count} facts and may change none; without TLS nobody is let in"
    raise Failed("Postgres takes connections in the clear")


async def lag_by_keda(build: str, kafka: Kafka) -> str:
    """What KEDA asks for each worker, as its own user."""
    told: dict[str, Any] = {
        "bootstrap_servers": kafka.address,
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "keda",
        "sasl_plain_password": kafka.passwords["keda"],
        "ssl_context": create_ssl_context(cadata=kafka.authority),
    }
    admin: Any = AIOKafkaAdminClient(**told)
    reader: Any = AIOKafkaConsumer(**told)
    found: list[str] = []
    await admin.start()
    await reader.start()
    try:
        for scaled in of_kind(build, "ScaledObject"):
            asked = scaled["spec"]["triggers"][0]["metadata"]
            done = await admin.list_consumer_group_offsets(asked["consumerGroup"])
            parts = [TopicPartition(asked["topic"], n) for n in range(6)]
            ends = await reader.end_offsets(parts)
            if not sum(ends.values()) or not done:
                raise Failed(f"KEDA sees nothing of {asked['consumerGroup']}")
            found.append(asked["consumerGroup"])
    finally:
        await admin.close()
        await reader.stop()
    return f"KEDA's user sees the lag of {', '.join(found)}"
