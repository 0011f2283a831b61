"""Figures of the readers of the log, and of timers and wishes."""

from telemetry.metric import Metric, Panel
from telemetry.rows import (
    BATCH_SECONDS,
    LOG,
    counter,
    gauge,
    highest,
    one_in_a_hundred,
    per_second,
    seconds,
)

ROWS: tuple[Metric, ...] = (
    counter(
        "quire_relay_facts_total", "facts", (),
        "Facts relayed: Kafka has them, with the commands that follow from them.", "relay",
        Panel(LOG, "Relayed a second", per_second("quire_relay_facts_total"), "facts", "cps"),
    ),
    counter(
        "quire_relay_commands_total", "commands", (),
        "Commands that followed from relayed facts.", "relay",
        Panel(LOG, "Relayed a second", per_second("quire_relay_commands_total"), "commands", "cps"),
    ),
    seconds(
        "quire_relay_chunk_seconds", (),
        "From reading facts to the checkpoint behind them.", "relay", BATCH_SECONDS,
        Panel(
            LOG, "Slowest batch of a reader in a hundred",
            one_in_a_hundred("quire_relay_chunk_seconds"), "relay", "s",
        ),
    ),
    gauge(
        "quire_sweeper_waiting_commands", "commands", (),
        "Commands sent whose outcome the sweeper has not seen yet; it looks when they are"
        " QUIRE_SWEEP_AFTER_SECONDS old.", "relay",
        Panel(
            LOG, "Commands without an outcome", highest("quire_sweeper_waiting_commands"), "waiting"
        ),
    ),
    counter(
        "quire_sweeper_set_backs_total", "times", (),
        "How often the relay went back because a topic had lost commands.", "relay",
        Panel(
            LOG, "Relay set back, in ten minutes",
            "sum(increase(quire_sweeper_set_backs_total[10m]))", "set back",
        ),
        alerts=("QuireCommandsLost",),
    ),
    counter(
        "quire_projector_facts_total", "facts", (),
        "Facts that the views show.", "projector",
        Panel(LOG, "Projected a second", per_second("quire_projector_facts_total"), "facts", "cps"),
    ),
    seconds(
        "quire_projector_batch_seconds", (),
        "From reading facts to the commit of the views.", "projector", BATCH_SECONDS,
        Panel(
            LOG, "Slowest batch of a reader in a hundred",
            one_in_a_hundred("quire_projector_batch_seconds"), "projector", "s",
        ),
    ),
    counter(
        "quire_sealer_seals_total", "seals", (),
        "Seals made.", "sealer",
        Panel(LOG, "Seals a minute", "60 * " + per_second("quire_sealer_seals_total"), "seals"),
    ),
    gauge(
        "quire_reader_lag_positions", "positions", ("reader",),
        "Positions of the log that a reader (relay, projector, sealer) has not read yet.", "timers",
        Panel(
            LOG, "Positions not read yet", highest("quire_reader_lag_positions", "reader"),
            "{{reader}}",
        ),
    ),
    gauge(
        "quire_reader_lag_seconds", "seconds", ("reader",),
        "How long the first fact that a reader has not read waits for it; for the sealer, the age"
        " of what is not sealed.", "timers",
        Panel(
            LOG, "Oldest fact not read yet", highest("quire_reader_lag_seconds", "reader"),
            "{{reader}}", "s",
        ),
        alerts=("QuireReaderBehind",),
    ),
    gauge(
        "quire_timers_due", "timers", (),
        "Timers that are due and have no outcome yet; 5,000 at most are counted.", "timers",
        Panel(LOG, "Timers due", highest("quire_timers_due"), "due"),
    ),
    gauge(
        "quire_timers_late_seconds", "seconds", (),
        "How long the first of those is due.", "timers",
        Panel(LOG, "Latest timer and wish", highest("quire_timers_late_seconds"), "timer", "s"),
        alerts=("QuireTimersLate",),
    ),
    counter(
        "quire_timers_announced_total", "timers", (),
        "Due timers sent to their agent, repeats included.", "timers",
        Panel(
            LOG, "Timers announced a second", per_second("quire_timers_announced_total"),
            "announced", "cps",
        ),
    ),
    gauge(
        "quire_wishes_waiting", "wishes", (),
        "Wishes of clients, older than QUIRE_SWEEP_AFTER_SECONDS, that have no outcome; 5,000 at"
        " most are counted.", "timers",
        Panel(LOG, "Wishes without an outcome", highest("quire_wishes_waiting"), "waiting"),
    ),
    gauge(
        "quire_wishes_oldest_seconds", "seconds", (),
        "The age of the first of those.", "timers",
        Panel(LOG, "Latest timer and wish", highest("quire_wishes_oldest_seconds"), "wish", "s"),
        alerts=("QuireWishesWait",),
    ),
    counter(
        "quire_wishes_published_again_total", "wishes", (),
        "Wishes published again, since Kafka had lost them or never got them.", "timers",
        Panel(
            LOG, "Wishes published again, in ten minutes",
            "sum(increase(quire_wishes_published_again_total[10m]))", "again",
        ),
    ),
)  # fmt: skip
