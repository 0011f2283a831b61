"""Every figure that a process of ours tells Prometheus: the one list that all else is made of.

Pages (`registry`), dashboards, docs/metrics.md and the checks of the alerts follow from it.
Names are an interface: others draw and alert on them, so they are added and never changed.
"""

from telemetry import agents, doors, processes, readers
from telemetry.metric import Metric

TABLE: tuple[Metric, ...] = (*doors.ROWS, *agents.ROWS, *readers.ROWS, *processes.ROWS)
BY_NAME = {metric.name: metric for metric in TABLE}
