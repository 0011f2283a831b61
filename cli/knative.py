"""`quire knative`: what a cluster needs that follows from the code."""

import re

import click

from cli.output import differs, emit_line, json_option

HEAD = """\
# Made by `quire knative event-types` from the code; a test compares. What can be subscribed to
# at the Broker, and what each sink takes: `kubectl get eventtypes` is another team's list.
"""


@click.group()
def knative() -> None:
    """What a cluster needs that follows from the code."""


@knative.command(name="event-types")
def event_types() -> None:
    """Print an EventType for each event and each command of the catalog, and what the wall says."""
    from api.wall.thresholds import TYPE as PASSED
    from domain.catalog import COMMANDS, EVENTS, TOPICS

    broker = "{ apiVersion: eventing.knative.dev/v1, kind: Broker, name: default }"
    found = [_event_type(type, broker) for type in (*EVENTS, PASSED)]
    for kind in COMMANDS:
        sink = TOPICS[kind.split(".")[1]].replace(".", "-")
        address = f"{{ apiVersion: eventing.knative.dev/v1alpha1, kind: KafkaSink, name: {sink} }}"
        found.append(_event_type(kind, address))
    click.echo(HEAD + "---\n".join(found), nl=False)


@knative.command()
@click.option(
    "--api", default="http://127.0.0.1:8001", show_default=True, help="Address of `kubectl proxy`."
)
@click.option(
    "--overlay",
    type=click.Choice(("dev", "prod", "eventing-only")),
    default="dev",
    show_default=True,
    help="What was applied.",
)
@json_option
def doctor(api: str, overlay: str, *, as_json: bool) -> None:
    """Look at a cluster piece by piece; name the first thing that is wrong, and its fix."""
    from cli.knative_doctor import examine

    wrong = False
    for found in examine(api, overlay):
        wrong = bool(found.wrong)
        if as_json:
            emit_line(
                {
                    "what": found.what,
                    "ok": not wrong,
                    "wrong": found.wrong,
                    "fix": found.fix if wrong else "",
                    "unseen": found.unseen,
                }
            )
        elif wrong:
            told = found.wrong if found.alone else f"{found.what}: {found.wrong}"
            click.echo(f"not ok  {told}\n        {found.fix}")
        else:
            click.echo(f"ok      {found.what}")
            for line in found.unseen.splitlines():
                click.echo(f"        {line}")
    if wrong:
        differs()


def _event_type(type: str, reference: str) -> str:
    name = re.sub(r"[^a-z0-9.-]", "-", type)
    return f"""\
apiVersion: eventing.knative.dev/v1beta2
kind: EventType
metadata:
  name: {name}
  namespace: quire
spec:
  type: {type}
  reference: {reference}
"""
