"""What the private servers share: binaries, an unprivileged user, a free port, start, wait and stop."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn, TextIO

from tests.settings.folder import scratch

KEEPER = Path(__file__).with_name("keeper.py")
START_SECONDS = 60.0


class ServerError(Exception):
    """A server's program is missing, or the server did not come up; the message says what it logged."""


def find(program: str, *patterns: str) -> str:
    """The path of ``program``: the newest match of ``patterns`` (globs of folders), else the PATH."""
    for pattern in patterns:
        folders = sorted(glob.glob(pattern), key=_number, reverse=True)
        for folder in folders:
            if os.access(os.path.join(folder, program), os.X_OK):
                return os.path.join(folder, program)
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin:/sbin")
    if found is None:
        raise ServerError(f"{program} is not installed")
    return found


def _number(folder: str) -> int:
    return int("".join(filter(str.isdigit, folder)) or 0)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PrivateServer:
    """A server process, its folder and its port. As root it is run as ``nobody``: PostgreSQL refuses root."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = free_port()
        self.user, self.group = _unprivileged()
        self.folder = Path(tempfile.mkdtemp(prefix=f"sadadpay-{name}-", dir=scratch()))
        if self.user >= 0:
            os.chown(self.folder, self.user, self.group)

    def prepare(self, *command: str) -> None:
        """Run a program that lays out the data folder."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            user=None if self.user < 0 else self.user,
            group=None if self.group < 0 else self.group,
        )
        if done.returncode:
            raise ServerError(f"{command[0]} failed:\n{done.stdout}")

    @contextmanager
    def running(self, *command: str, ending: int = signal.SIGTERM) -> Iterator[None]:
        """Start ``command`` under its keeper, wait until its port answers; stop it by ``ending``."""
        who = (str(self.user), str(self.group), str(int(ending)))
        log = self.folder / "server.log"
        log.touch()
        with log.open(errors="replace") as logged:  # still readable when the keeper has removed the folder
            keeper = subprocess.Popen(
                [sys.executable, str(KEEPER), str(self.folder), *who, *command],
                stdin=subprocess.PIPE,
                start_new_session=True,  # a Ctrl-C in the terminal is for the tests, not for it
            )
            try:
                self._wait(keeper, logged)
                yield
            finally:
                assert keeper.stdin is not None
                keeper.stdin.close()
                keeper.wait()

    def _wait(self, keeper: subprocess.Popen[bytes], logged: TextIO) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and keeper.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.05)
        raise ServerError(f"{self.name} did not come up on port {self.port}:\n{logged.read()[-4000:]}")


def _unprivileged() -> tuple[int, int]:
    if os.geteuid() != 0:
        return -1, -1
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def run_under(server: AbstractContextManager[str], variable: str, arguments: list[str]) -> NoReturn:
    """The command line of a server module: run the command after ``--`` with the address in ``variable``."""
    command = arguments[1:] if arguments[:1] == ["--"] else arguments
    if not command:
        raise SystemExit("usage: python -m tests.servers.NAME -- COMMAND…")
    signal.signal(signal.SIGTERM, _leave)
    with server as address:
        process = subprocess.Popen(command, env={**os.environ, variable: address})
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    raise SystemExit(code if code >= 0 else 128 - code)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
