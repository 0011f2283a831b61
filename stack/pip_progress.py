"""Shows what pip does as one line that counts packages: `{ pip ...; echo "exit $?"; } 2>&1 | this`.

Runs before anything is installed, so it needs the standard library alone.
"""

import re
import sys
from collections import deque

TAIL = 30
_PACKAGE = re.compile(r"Collecting ([\w.-]+)")


def main() -> int:
    """Read pip's words to their end; give its exit code, and its last words when it failed."""
    tail: deque[str] = deque(maxlen=TAIL)
    count, code = 0, 1
    live = sys.stderr.isatty()
    for line in sys.stdin:
        if line.startswith("exit "):
            code = int(line[5:])
            break
        tail.append(line)
        package = _PACKAGE.match(line)
        if package is not None:
            count += 1
            if live:
                print(f"\r  {count} {package[1]}\033[K", end="", file=sys.stderr, flush=True)
        elif live and line.startswith("Installing collected"):
            print(f"\r  unpacking {count} packages\033[K", end="", file=sys.stderr, flush=True)
    if live:
        print("\r\033[K", end="", file=sys.stderr)
    if code:
        sys.stderr.writelines(tail)
    else:
        print(f"  {count} packages installed", file=sys.stderr)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
