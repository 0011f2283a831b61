"""Processes that tests start end with the tests, also when pytest is killed."""

import ctypes
import signal

from stack.process import LINUX, SET_DEATH_SIGNAL


def die_with_parent() -> None:
    """Let the kernel end this process by kill -9 when the one that started it is gone."""
    if LINUX:
        ctypes.CDLL(None).prctl(SET_DEATH_SIGNAL, int(signal.SIGKILL))
