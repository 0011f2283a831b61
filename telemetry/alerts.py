"""The alerts of deploy/monitoring/alerts.yml, word by word, as the Prometheus operator has them."""

HEAD = """\
# `make monitoring` writes here the alerts of deploy/monitoring/alerts.yml; their tests are there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: quire
  namespace: quire
spec:
"""


def prometheus_rule(alerts: str) -> str:
    """The groups under `spec`; what stands before them is about the other file."""
    _, groups, rest = alerts.partition("groups:\n")
    if not groups:
        raise ValueError("no groups of rules")
    lines = (groups + rest).splitlines(keepends=True)
    return HEAD + "".join(f"  {line}" if line.strip() else line for line in lines)
