"""`python -m cli.health [URL]`: is the process of this container well? Exit code 0 says yes.

With a URL, whether it answers 2xx there. Without, whether the process has written to its ready file
(QUIRE_READY_FILE) within the last minute, as every loop does that turns (`streams.lifecycle.beat`).
It imports nothing of ours and little else, since it is run every few seconds.
"""

import os
import sys
import time

STANDS_STILL_SECONDS = 60.0
ANSWER_SECONDS = 3.0


def complaint(url: str | None, file: str | None) -> str | None:
    """What is wrong, or nothing."""
    if url:
        return _answers(url)
    if not file:
        return "neither a URL nor QUIRE_READY_FILE says where to look"
    try:
        age = time.time() - os.stat(file).st_mtime  # noqa: PTH116 pathlib takes longer to import
    except FileNotFoundError:
        return "not ready yet"
    if age > STANDS_STILL_SECONDS:
        return f"stands still for {age:.0f} s"
    return None


def _answers(url: str) -> str | None:
    import urllib.error  # here, since it takes longer than all the rest
    import urllib.request

    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS):  # noqa: S310 ours
            return None
    except urllib.error.HTTPError as error:
        return f"{url} answers {error.code}: {error.read(500).decode(errors='replace')}"
    except OSError as error:
        return f"{url} does not answer: {error}"


if __name__ == "__main__":
    wrong = complaint(
        sys.argv[1] if len(sys.argv) > 1 else None, os.environ.get("QUIRE_READY_FILE")
    )
    if wrong:
        sys.exit(wrong)
