"""Stops a private server and removes its folder as soon as whoever started it is gone, even when killed.

It is a process of its own between the two: its standard input is a pipe from the starter, which the kernel
closes when the starter ends in whatever way. Usage: ``keeper.py FOLDER USER GROUP SIGNAL COMMAND…`` (USER and
GROUP -1: stay who we are; SIGNAL ends the server).
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from typing import Any

PATIENCE = 10.0  # seconds for a clean stop before it is killed


def main(folder: str, user: int, group: int, ending: int, command: list[str]) -> int:
    """Run ``command`` until it ends or our standard input is closed; then remove ``folder``."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave_it_to_the_starter)
    try:
        with open(f"{folder}/server.log", "wb") as log:
            server = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=None if user < 0 else user,
                group=None if group < 0 else group,
                extra_groups=None if group < 0 else [],
            )
        threading.Thread(target=_stop_with_starter, args=(server, ending), daemon=True).start()
        return server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _leave_it_to_the_starter(*_: Any) -> None:
    """Do nothing: the tests still need the server. (Ignoring the signal would be inherited by the server.)"""


def _stop_with_starter(server: subprocess.Popen[bytes], ending: int) -> None:
    sys.stdin.buffer.read()  # returns at the end of the pipe only: nobody writes into it
    server.send_signal(ending)
    try:
        server.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        server.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:]))
