"""Which ports a stack wants, and for what."""

from stack.layout import Ports
from stack.ports import METRICS
from stack.processes import metrics_ports
from stack.settings import Settings


def wanted_ports(
    ports: Ports, settings: Settings, *, servers_only: bool = False, wall: bool = False
) -> dict[str, int]:
    """By what each is for; without those of servers that run already."""
    wanted = {"the API": ports.api}
    if not servers_only:
        if settings.smtp_host is None:
            wanted["the mail sink"] = ports.mail
        wanted["the intake"] = ports.intake
    if wall:
        wanted["the wall"] = ports.wall
    if settings.postgres_dsn is None:
        wanted["Postgres"] = ports.postgres
    if settings.kafka is None:
        wanted |= {"Kafka": ports.kafka, "Kafka's controller": ports.controller}
    if settings.provider_url is None:
        wanted["the payment provider"] = ports.provider
    if not servers_only:
        metrics = metrics_ports(settings.metrics_port)
        wanted |= {f"{METRICS} of {name}": port for name, port in metrics.items()}
    return wanted
