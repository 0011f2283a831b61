"""Where dead letters may be posted again: addresses compared, and shown without their secrets."""

from urllib.parse import SplitResult, urlsplit, urlunsplit

from bus.event import FAILURE, Event

SETTING = "QUIRE_REDRIVE_TARGETS"


class Targets:
    """The addresses of a list with commas between."""

    def __init__(self, listed: str) -> None:
        self._allowed = {_compared(each) for each in listed.split(",") if each}

    def refusal(self, event: Event | None) -> tuple[str, str] | None:
        """(cause, error) when a dead letter must not be posted where it failed."""
        address = failed_at(event)
        if (missing := no_address(event)) is not None:
            return missing
        if _compared(address) not in self._allowed:
            return "address_not_allowed", f"{shown(address)} is not one of {SETTING}"
        return None


def no_address(event: Event | None) -> tuple[str, str] | None:
    """(cause, error) when nobody can know where to post it."""
    if failed_at(event):
        return None
    return "no_address", "it does not say where it failed; discard it with a reason"


def failed_at(event: Event | None) -> str:
    """The address where it failed, empty when it does not say."""
    return event.attributes.get(FAILURE[0], "") if event else ""


def path_of(address: str) -> str:
    return _split(address).path.rstrip("/")


def shown(address: str) -> str:
    """Without what may be secret in an address."""
    parts = _split(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _compared(address: str) -> str:
    """Two addresses are the same when these are: nothing is left out but a slash at the end."""
    parts = _split(address.strip())
    whole = (parts.scheme.lower(), parts.netloc.lower(), parts.path.rstrip("/"), parts.query, "")
    return urlunsplit(whole)


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")
