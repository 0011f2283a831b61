"""What stands around our processes in a rehearsal, and where the manifests' addresses lead to."""

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from stack.layout import LOOPBACK
from stack.ports import free_ports
from tests.integration.certificates import certificates
from tests.integration.mail_office import Office, office
from tests.knative import secrets
from tests.knative.cloudnative import Postgres, running_postgres
from tests.knative.strimzi import Kafka, running_kafka
from tests.unit.deploy.build import of_kind

SINKS = "kafka-sink-ingress.knative-eventing.svc.cluster.local"


class Around(NamedTuple):
    """What stands around our processes."""

    kafka: Kafka
    postgres: Postgres
    secrets: secrets.Secrets
    settings: Mapping[str, str]
    authority: Path
    provider: str = ""
    mail: Office | None = None


@contextmanager
def servers(build: str, directory: Path) -> Generator[Around]:
    """Kafka and Postgres as the manifests say, and every secret that they refer to."""
    made = secrets.made(build)
    passwords = {name: value for (name, key), value in made.items() if key == "password"}
    [settings] = [
        each["data"]
        for each in of_kind(build, "ConfigMap")
        if each["metadata"]["name"] == "quire-settings"
    ]
    with running_kafka(build, passwords) as kafka, running_postgres(build, passwords) as postgres:
        made |= {
            ("quire-cluster-ca-cert", "ca.crt"): kafka.authority,
            ("postgres-ca", "ca.crt"): postgres.authority,
            **{(user, "password"): word for user, word in kafka.passwords.items()},
        }
        authority = directory / "kafka-ca.crt"
        authority.write_text(kafka.authority)
        yield Around(kafka, postgres, made, settings, authority)


@asynccontextmanager
async def outside(around: Around, directory: Path) -> AsyncGenerator[Around]:
    """The payment provider and the mail server outside that the settings name, if they do."""
    async with AsyncExitStack() as stack:
        if not around.settings["QUIRE_PROVIDER_URL"].endswith(".svc.cluster.local"):
            [port] = free_ports(1)
            around = around._replace(provider=f"http://{LOOPBACK}:{port}")
        if "QUIRE_SMTP_HOST" in around.settings:
            files = certificates(directory / "mail")
            password = around.secrets["smtp", "password"]
            mail = await stack.enter_async_context(office(files, "starttls", password))
            around = around._replace(mail=mail)
        yield around


def words(build: str, around: Around, sinks: str) -> dict[str, str]:
    """The addresses of the manifests, and where they lead."""
    [kafka], [postgres] = of_kind(build, "Kafka"), of_kind(build, "Cluster")
    [listener] = kafka["spec"]["kafka"]["listeners"]
    bootstrap = f"{kafka['metadata']['name']}-kafka-bootstrap.quire.svc:{listener['port']}"
    found = {
        bootstrap: around.kafka.address,
        f"{postgres['metadata']['name']}-rw.quire.svc:5432": around.postgres.address,
        SINKS: urlsplit(sinks).netloc,
    }
    if around.provider:
        found[around.settings["QUIRE_PROVIDER_URL"]] = around.provider
    if around.mail:
        found[around.settings["QUIRE_SMTP_HOST"]] = LOOPBACK
    return found
