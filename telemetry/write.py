"""`python -m telemetry.write` writes anew what is made of the table: `make monitoring`."""

from collections.abc import Mapping
from pathlib import Path

from telemetry.alerts import prometheus_rule
from telemetry.dashboards import dashboards
from telemetry.reference import table

ROOT = Path(__file__).parents[1]
MONITORING = ROOT / "deploy" / "monitoring"


def files() -> Mapping[Path, str]:
    """Each file with what belongs into it."""
    page = ROOT / "docs" / "metrics.md"
    rules = ROOT / "deploy" / "components" / "monitoring" / "rules.yaml"
    return {
        page: table(page.read_text()),
        rules: prometheus_rule((MONITORING / "alerts.yml").read_text()),
        **{MONITORING / "dashboards" / name: text for name, text in dashboards().items()},
    }


def main() -> None:
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
