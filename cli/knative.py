"""`quire knative`: what a cluster needs that follows from the code."""

import re

import click

SOURCE = "quire/relay"
HEAD = """\
# Made by `quire knative event-types` from the catalog; a test compares. What can be subscribed to
# at the Broker, and what each sink takes: `kubectl get eventtypes` is another team's list.
"""


@click.group()
def knative() -> None:
    """What a cluster needs that follows from the code."""


@knative.command(name="event-types")
def event_types() -> None:
    """Print an EventType for each event and each command of the catalog."""
    from domain.catalog import COMMANDS, EVENTS, TOPICS

    broker = "{ apiVersion: eventing.knative.dev/v1, kind: Broker, name: default }"
    found = [_event_type(type, SOURCE, broker) for type in EVENTS]
    for kind in COMMANDS:
        sink = TOPICS[kind.split(".")[1]].replace(".", "-")
        address = f"{{ apiVersion: eventing.knative.dev/v1alpha1, kind: KafkaSink, name: {sink} }}"
        found.append(_event_type(kind, "", address))
    click.echo(HEAD + "---\n".join(found), nl=False)


def _event_type(type: str, source: str, reference: str) -> str:
    name = re.sub(r"[^a-z0-9.-]", "-", type)
    return f"""\
apiVersion: eventing.knative.dev/v1beta2
kind: EventType
metadata:
  name: {name}
  namespace: quire
spec:
  type: {type}
{f"  source: {source}" + chr(10) if source else ""}  reference: {reference}
"""
