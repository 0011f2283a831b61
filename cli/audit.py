"""`quire audit`: check the log."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.output import (
    Exit,
    Failure,
    counted,
    differs,
    emit_line,
    json_option,
    say,
    settle_option,
    state_dir_option,
)
from cli.reconcile import reconcile

if TYPE_CHECKING:
    from store.invariants import Paid


@click.group()
def audit() -> None:
    """Check the log: invariants, hash chain, seals, the provider's ledger."""


audit.add_command(reconcile)


@audit.command()
@click.option(
    "--ledger",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="The provider's ledger; by default the simulated one of the state directory.",
)
@click.option(
    "--public-key",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="What to check the seals with; by default the key of the state directory.",
)
@settle_option
@state_dir_option
@json_option
def verify(
    ledger: Path | None,
    public_key: Path | None,
    settle_seconds: float,
    state_dir: Path,
    as_json: bool,
) -> None:
    """Read the whole log and check every hash, version, seal and invariant; exit 1 if any broke."""
    from cli.servers import servers
    from store.sealkey import NoKey, verifying_key
    from store.verify import verify as verify_log

    try:
        key = verifying_key(state_dir, os.environ.get("QUIRE_SEAL_KEY", ""), public_key)
    except NoKey as missing:
        if public_key is not None:
            raise Failure("no_key", str(missing), exit_code=Exit.NOT_FOUND) from missing
        key = None
    book = ledger or state_dir / "provider" / "ledger.jsonl"
    report = verify_log(
        servers(state_dir).postgres_dsn,
        key,
        ledger=_paid(book, settle_seconds) if book.is_file() else None,
        settle_seconds=settle_seconds,
    )
    if as_json:
        emit_line(
            {
                "ok": report.ok,
                "events": report.events,
                "events_per_s": report.events_per_s,
                "first_bad_position": report.first_bad_position,
                "findings": [one._asdict() for one in report.findings],
                "findings_left_out": report.more,
                "seals": report.seals,
                "sealed_to": report.sealed_to,
            }
        )
    else:
        _tell(report)
    if not report.ok:
        differs()


def _paid(ledger: Path, settle_seconds: float) -> "dict[str, Paid | None]":
    """Add up what the provider approved, order by order; None where something is that fresh."""
    from datetime import UTC, datetime, timedelta

    from gateways.ledger import read_ledger
    from store.invariants import Paid

    before = datetime.now(UTC) - timedelta(seconds=settle_seconds)
    fields = {"authorize": "authorized", "capture": "captured", "refund": "refunded"}
    paid: dict[str, Paid] = {}
    fresh: set[str] = set()
    for entry in read_ledger(ledger):
        if entry.at >= before:
            fresh.add(entry.order_id)
        field = fields.get(entry.step)
        if entry.outcome == "approved" and field:
            known = paid.get(entry.order_id, Paid())
            changed = {field: getattr(known, field) + entry.amount_minor}
            paid[entry.order_id] = known._replace(**changed)
    return {**paid, **dict.fromkeys(fresh)}


def _tell(report: Any) -> None:
    for one in report.findings:
        place = f"position {one.position}" if one.position else "log"
        click.echo(f"{place}: {one.code} in {one.subject}: {one.detail}")
    if report.more:
        click.echo(f"and {report.more:,} more")
    click.echo(
        f"{'sound' if report.ok else 'BROKEN'}: {counted(report.events, 'fact')},"
        f" {report.seals:,} seals up to position {report.sealed_to:,}"
    )
    say(f"{report.events_per_s:,.0f} facts/s")
