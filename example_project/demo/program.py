"""A program of the demo: its own process group, its log, and an end that leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

START_SECONDS = 60.0
STOP_SECONDS = 6.0
TAIL = 40  # lines of a log that are shown when something went wrong


class ProgramError(Exception):
    """A program did not come up, or ended by itself; the message ends with what it logged last."""


class Watchdog:
    """See ``watchdog.py``: one for all programs of a demo."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("watchdog.py")
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", str(script)],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def tell(self, sign: str, group: int) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{sign}{group}\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """Let it stop whatever is left, and wait for that."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


class Program:
    def __init__(
        self, name: str, command: list[str], log: Path, env: dict[str, str], watchdog: Watchdog
    ) -> None:
        self.name, self.command, self.log, self.env = name, command, log, env
        self._watchdog = watchdog
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                [sys.executable, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.env,
                start_new_session=True,  # its group: workers have children of their own
            )
        self._watchdog.tell("+", self._process.pid)

    def wait(self, is_up: Callable[[], bool]) -> None:
        """:raises ProgramError: it ended, or is not up after a minute."""
        until = time.monotonic() + START_SECONDS
        while not is_up():
            if not self.is_running or time.monotonic() > until:
                raise ProgramError(f"{self.name} did not come up\n{self.tail()}")
            time.sleep(0.05)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Ask it to end; kill what is left of its group."""
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """``kill -9`` to it and all its children at once, as when the machine loses them."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._watchdog.tell("-", self._process.pid)
        self._process = None

    def logged(self) -> str:
        """What it wrote since it was started last."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode("utf-8", "replace")

    def tail(self) -> str:
        lines = self.logged().splitlines()[-TAIL:]
        return "\n".join([f"----- {self.name}, the end of {self.log}:", *lines])
