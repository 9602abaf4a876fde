"""Stops the demo's programs when the demo is gone, however it ended: ``kill -9`` too.

Its standard input is a pipe from the demo, which the kernel closes when the demo ends. A line is ``+GROUP``
when a program was started in a process group of its own, ``-GROUP`` when it has ended. It is run as a file.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress

PATIENCE = 5.0  # seconds for a clean stop before they are killed


def main() -> None:
    """Follow what runs; at the end of the pipe, stop what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a Ctrl-C in the terminal is for the demo
    running: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line[0] == "+":
            running.add(group)
        else:
            running.discard(group)
    stop(running)


def stop(groups: set[int]) -> None:
    """Ask, wait, and kill what has not gone."""
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(group, signal.SIGTERM)  # its leader alone: Celery's winds up its children itself
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and any(_signal(group, 0) for group in groups):
        time.sleep(0.05)
    for group in groups:
        _signal(group, signal.SIGKILL)


def _signal(group: int, number: int) -> bool:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


if __name__ == "__main__":
    main()
