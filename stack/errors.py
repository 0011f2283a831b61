"""What keeps the stack from running, said so that a person can mend it."""


class StackFault(Exception):
    """A part of the stack cannot run; `hint` says what would help."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def needs_servers_of_your_own(part: str, setting: str) -> str:
    """Say what to do where no wheel brings the part along."""
    return f"Run {part} yourself and point {setting} to it; `quire up` then starts none of its own."


def not_reachable(part: str, setting: str) -> StackFault:
    """Say that a server of one's own does not answer."""
    return StackFault(
        "not_reachable",
        f"{part}, as {setting} names it, does not answer",
        f"Start it, mend {setting}, or unset it: the stack brings its own.",
    )
