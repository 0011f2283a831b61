"""Figures that every process has, and those of the source and of the dead letters."""

from telemetry.metric import Kind, Metric, Panel
from telemetry.rows import PROCESSES, counter, gauge, given, per_second

_LOOPS = "all but the doors"

ROWS: tuple[Metric, ...] = (
    counter(
        "quire_source_events_total", "events", ("topic", "result"),
        "Records taken to the address, by what became of them: taken or dead_letter.", "source",
        Panel(
            PROCESSES, "Records of partners a second",
            per_second("quire_source_events_total", "topic", "result"),
            "{{topic}} {{result}}", "cps",
        ),
    ),
    counter(
        "quire_dead_letters_total", "letters", ("result",),
        "Dead letters, by what became of them: parked, redriven, discarded, or failed when they"
        " were redriven.", "dead-letters",
        Panel(
            PROCESSES, "Dead letters, in ten minutes",
            "sum by (result) (increase(quire_dead_letters_total[10m]))", "{{result}}",
        ),
    ),
    gauge(
        "quire_leads", "0 or 1", ("work",),
        "1 where this process does the work of which one does it at a time, 0 where it stands by.",
        "relay, projector, sealer",
        Panel(PROCESSES, "How many lead", "sum by (work) (quire_leads)", "{{work}}"),
        alerts=("QuireNobodyLeads",),
    ),
    counter(
        "quire_faults_total", "faults", ("fault",),
        "What went wrong and was tried again: Stale is another owner, Unavailable is Postgres,"
        " KafkaUnavailable and PublishFailed are Kafka, ours is our own code.", _LOOPS,
        Panel(
            PROCESSES, "Faults tried again, a second",
            per_second("quire_faults_total", "process", "fault"), "{{process}} {{fault}}", "cps",
        ),
        alerts=("QuireFaults",),
    ),
    gauge(
        "quire_turn_timestamp_seconds", "seconds since 1970", (),
        "When the last turn of work was done, or there was none to do; 0 before the first.", _LOOPS,
        Panel(
            PROCESSES, "Since the last turn", "time() - (quire_turn_timestamp_seconds > 0)",
            "{{process}}", "s",
        ),
        alerts=("QuireStandsStill",),
    ),
    given(
        "process_cpu_seconds_total", Kind.COUNTER, "seconds",
        "CPU time of the process.",
        Panel(
            PROCESSES, "Processors in use",
            'sum by (process) (rate(process_cpu_seconds_total{job="quire"}[$__rate_interval]))',
            "{{process}}",
        ),
    ),
    given(
        "process_resident_memory_bytes", Kind.GAUGE, "bytes",
        "Memory of the process.",
        Panel(
            PROCESSES, "Memory", 'max by (process) (process_resident_memory_bytes{job="quire"})',
            "{{process}}", "bytes",
        ),
    ),
    given(
        "process_start_time_seconds", Kind.GAUGE, "seconds since 1970",
        "When the process began.",
        Panel(
            PROCESSES, "Restarts in an hour",
            'sum by (process) (changes(process_start_time_seconds{job="quire"}[1h]))',
            "{{process}}",
        ),
        alerts=("QuireRestarts",),
    ),
)  # fmt: skip
