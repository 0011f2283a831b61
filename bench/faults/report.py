"""What a fault run did and found. The names of the fields are what scripts read."""

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """What is not as it has to be, of whom, and how."""

    code: str
    subject: str
    detail: str = ""

    def text(self) -> str:
        return f"{self.code}: {self.subject}{f': {self.detail}' if self.detail else ''}"


class Report(msgspec.Struct, frozen=True):
    """`orders` were accepted; `lost` of them did not come to their end; `twice` counts what was
    done again for the same wish. `slowest_recovery_s` is from an injury to work that moves."""

    ok: bool
    kills: int
    orders: int
    lost: int
    twice: int
    slowest_recovery_s: float
    findings: list[Finding]
    seed: int = 0
    seconds: float = 0.0
    done: dict[str, int] = {}
    answers: dict[str, int] = {}
    ends: dict[str, int] = {}
    recoveries: dict[str, float] = {}
    mails_repeated: int = 0
    facts: int = 0
    settled_s: float = 0.0
    interrupted: bool = False


def _others(report: Report) -> str:
    """A stack that ran before has orders of its own."""
    held = sum(report.ends.values())
    return "" if held == report.orders else f", {held} on the stack in all"


def text(report: Report) -> str:
    """The report for people."""
    lines = [
        f"seed {report.seed}: {_counts(report.done) or 'nothing'} in {report.seconds:g} s",
        f"  orders      {report.orders} accepted{_others(report)}: {_counts(report.ends)}",
        f"  customers   {_counts(report.answers) or 'changed nothing'}",
        f"  settled     {report.settled_s:.0f} s after the load, {report.facts} facts",
        f"  back        slowest {report.slowest_recovery_s:.1f} s: {_slow(report.recoveries)}",
        f"  lost {report.lost}, twice {report.twice}, mails repeated {report.mails_repeated}",
    ]
    lines += [f"FOUND {finding.text()}" for finding in report.findings]
    lines.append(
        "sound"
        if report.ok
        else f"{len(report.findings)} finding{'s' * (len(report.findings) != 1)}"
    )
    return "\n".join(lines)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _slow(recoveries: dict[str, float]) -> str:
    slowest = sorted(recoveries.items(), key=lambda each: -each[1])[:4]
    return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in slowest) or "nobody was away"
