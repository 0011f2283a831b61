"""Figures of the workers."""

from telemetry.metric import Metric, Panel
from telemetry.rows import (
    AGENTS,
    BATCH_SECONDS,
    counter,
    gauge,
    one_in_a_hundred,
    per_second,
    seconds,
)

AGE_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
_WORKERS = "the five workers"
_OUTSIDE = "payment, shipping, notification"

ROWS: tuple[Metric, ...] = (
    counter(
        "quire_messages_total", "messages", ("agent", "result"),
        "Messages of which a committed batch disposed, by what became of each: applied, refused,"
        " noop, parked, discarded, repeated (handled before), missing (the one before it is).",
        _WORKERS,
        Panel(
            AGENTS, "Messages a second", per_second("quire_messages_total", "agent"),
            "{{agent}}", "cps",
        ),
        Panel(
            AGENTS, "What became of messages, a second",
            per_second("quire_messages_total", "result"), "{{result}}", "cps",
        ),
    ),
    seconds(
        "quire_batch_seconds", ("agent",),
        "From the first look at a batch to its commit, one attempt.", _WORKERS, BATCH_SECONDS,
        Panel(
            AGENTS, "Slowest batch in a hundred",
            one_in_a_hundred("quire_batch_seconds", "agent"), "{{agent}}", "s",
        ),
        Panel(
            AGENTS, "Messages in a batch",
            "sum by (agent) (rate(quire_messages_total[$__rate_interval]))"
            " / sum by (agent) (rate(quire_batch_seconds_count[$__rate_interval]))", "{{agent}}",
        ),
    ),
    seconds(
        "quire_message_age_seconds", ("agent",),
        "How old the first message of a batch is when the batch is committed.",
        _WORKERS, AGE_SECONDS,
        Panel(
            AGENTS, "Oldest message of a batch, one in a hundred",
            one_in_a_hundred("quire_message_age_seconds", "agent"), "{{agent}}", "s",
        ),
    ),
    gauge(
        "quire_lag_messages", "messages", ("agent",),
        "Messages in its own partitions that are not handled yet, asked of Kafka for each page.",
        _WORKERS,
        Panel(
            AGENTS, "Messages not handled yet", "sum by (agent) (quire_lag_messages)", "{{agent}}"
        ),
        alerts=("QuireAgentBehind",),
    ),
    gauge(
        "quire_partitions", "partitions", ("agent",),
        "Partitions that the worker owns.", _WORKERS,
        Panel(AGENTS, "Partitions owned", "sum by (agent) (quire_partitions)", "{{agent}}"),
    ),
    seconds(
        "quire_outside_seconds", ("agent",),
        "How long provider, carrier or mail took to answer.", _OUTSIDE,
        BATCH_SECONDS,
        Panel(
            AGENTS, "Slowest answer from outside in a hundred",
            one_in_a_hundred("quire_outside_seconds", "agent"), "{{agent}}", "s",
        ),
    ),
    counter(
        "quire_outside_answers_total", "answers", ("agent", "outcome"),
        "Answers of provider, carrier and mail, by their outcome.",
        _OUTSIDE,
        Panel(
            AGENTS, "Answers from outside, a second",
            per_second("quire_outside_answers_total", "agent", "outcome"),
            "{{agent}} {{outcome}}", "cps",
        ),
        alerts=("QuireOutsideAway",),
    ),
)  # fmt: skip
