"""The `quire` command; each verb is imported only when it is used."""

from importlib import import_module

import click

from cli import output
from cli.secret_files import read_secret_files

VERBS = {
    "audit": "cli.audit:audit",
    "bench": "cli.bench:bench",
    "books": "cli.books:books",
    "demo": "cli.demo:demo",
    "doctor": "cli.stack:doctor",
    "down": "cli.stack:down",
    "faults": "cli.faults:faults",
    "import": "cli.import_:import_",
    "keys": "cli.keys:keys",
    "knative": "cli.knative:knative",
    "mail": "cli.mail:mail",
    "migrate": "cli.migrate:migrate",
    "order": "cli.order:order",
    "parked": "cli.parked:parked",
    "projections": "cli.projections:projections",
    "provider": "cli.provider:provider",
    "replay": "cli.replay:replay",
    "return": "cli.return_:return_",
    "run": "cli.run:run",
    "status": "cli.stack:status",
    "stock": "cli.stock:stock",
    "tail": "cli.tail:tail",
    "topics": "cli.topics:topics",
    "up": "cli.stack:up",
    "version": "cli.stack:version",
}

HELP = {
    "audit": "Check the log: invariants, hash chain, seals, the provider's ledger.",
    "bench": "Put a load of live orders on the stack and measure it.",
    "books": "Load a catalogue with its stock.",
    "demo": "Play a story on the running stack and show what it did.",
    "doctor": "Look for what would keep the stack from running, with the fix for each.",
    "down": "Stop the stack.",
    "faults": "Kill, freeze and cut everything under load, and check what it did.",
    "import": "Load the history of another system.",
    "keys": "Make passwords and certificates, as files.",
    "knative": "What a cluster needs that follows from the code.",
    "mail": "Read what the local mail sink took in.",
    "migrate": "Bring the database to the newest schema.",
    "order": "Place, show, list, cancel, pay, return and settle orders.",
    "parked": "Messages that need a person: list, show, redrive, edit, discard, history.",
    "projections": "The views: list, rebuild, compare with the log.",
    "provider": "Script the simulated payment provider, and read its ledger.",
    "replay": "Print facts again, as JSON Lines. Nothing is sent.",
    "return": "Approve, refuse and receive what customers send back.",
    "run": "Run one process of the system in the foreground.",
    "status": "What runs, and how far behind it is.",
    "stock": "Receive, adjust and show stock.",
    "tail": "Follow the log.",
    "topics": "The Kafka topics: list, create, allow, grow, repair.",
    "up": "Start Kafka, Postgres and every process of ours.",
    "version": "The versions of Quire and of what it stands on.",
}


class Verbs(click.Group):
    """Finds verbs in the table above, so that `quire --help` imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = VERBS.get(cmd_name)
        if place is None:
            return None
        module, attribute = place.split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, HELP[name]) for name in self.list_commands(ctx)])


BEGIN = """\b
To begin:  quire up                          the whole stack, until Ctrl-C
           quire order place --demo --wait 5
           quire tail
Each verb has --help. Exit codes: 0 fine, 1 a check found a difference, 2 usage,
3 not reachable, 4 not found, 5 refused, 78 needs a person, 130 interrupted."""


@click.command(cls=Verbs, epilog=BEGIN, context_settings={"help_option_names": ["-h", "--help"]})
def quire() -> None:
    """Quire, the order system of a bookstore."""
    read_secret_files()


def main() -> None:
    """Run a verb; every failure leaves by the exit codes of `cli.output`."""
    output.leave_well(quire)


if __name__ == "__main__":
    main()
