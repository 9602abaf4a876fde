"""The demo's three programs on free ports, and the one folder in which everything that they write stays."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from example_project.demo.program import Program, ProgramError, Watchdog

ROOT = Path(__file__).resolve().parent.parent.parent
HOST = "127.0.0.1"
KEYS = ("SADADPAY_CLIENT_KEY", "SADADPAY_CLIENT_SECRET")


class Stack:
    """``emulator``, ``shop`` and ``worker``. With Sadad's own keys in the environment there is no emulator.

    :param folder: holds database, logs, broker and the emulator's world; a later demo goes on with them.
    :param beat: seconds between two runs of each background task.
    :param webhook_interval: seconds between two tries of a webhook.
    """

    def __init__(
        self, folder: Path, *, beat: float, webhook_interval: float, sandbox: bool = False, shop_port: int = 0
    ) -> None:
        self.folder, self.sandbox = folder, sandbox
        self._beat, self._webhook_interval = beat, webhook_interval
        self.facts = _facts(folder, shop_port)
        self.env = self._environment()
        self._watchdog: Watchdog | None = None
        self.programs: dict[str, Program] = {}
        self.tails: list[str] = []

    @property
    def shop_url(self) -> str:
        return f"http://{HOST}:{self.facts['shop_port']}"

    @property
    def emulator_url(self) -> str:
        return f"http://{HOST}:{self.facts['emulator_port']}"

    @property
    def webhook_url(self) -> str:
        return f"{self.shop_url}/payments/webhook/default/{self.facts['webhook_secret']}/"

    @property
    def password(self) -> str:
        """Of the staff user ``admin``."""
        return str(self.facts["password"])

    # Life

    def start(self) -> None:
        """Migrate, seed and start everything. :raises ProgramError: with what was logged."""
        self._manage("migrate", "-v", "0")
        self._manage("seed_shop", "--password", self.password)
        self._watchdog = Watchdog()
        self.programs = {name: self._program(name, command) for name, command in self._commands().items()}
        for program in self.programs.values():
            program.start()
        for name in self.programs:
            self._wait(name)

    def stop(self) -> None:
        for program in reversed(self.programs.values()):
            program.stop()
        self.programs = {}
        if self._watchdog is not None:
            self._watchdog.close()
            self._watchdog = None

    def restart(self, name: str) -> None:
        """Start a program again after ``programs[name].kill()``."""
        self.programs[name].start()
        self._wait(name)

    def ended(self) -> Program | None:
        """A program that has ended by itself."""
        return next((program for program in self.programs.values() if not program.is_running), None)

    def __enter__(self) -> Stack:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # Parts

    def _commands(self) -> dict[str, list[str]]:
        emulator = [
            *("-m", "django_sadadpay.emulator", "--port", str(self.facts["emulator_port"])),
            *("--webhook-url", self.webhook_url, "--webhook-interval", str(self._webhook_interval)),
            *("--state", str(self.folder / "emulator.json")),
        ]
        shop = [
            *("-m", "example_project.manage", "runserver", f"{HOST}:{self.facts['shop_port']}"),
            *("--noreload", "--insecure"),  # --insecure: serve the static files although DEBUG is off
        ]
        worker = [
            *("-m", "celery", "-A", "example_project", "worker", "-B", "--concurrency", "2"),
            *("--schedule", str(self.folder / "beat"), "--loglevel", "INFO"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ]
        commands = {"emulator": emulator, "shop": shop, "worker": worker}
        return {name: command for name, command in commands.items() if name != "emulator" or not self.sandbox}

    def _program(self, name: str, command: list[str]) -> Program:
        assert self._watchdog is not None
        return Program(name, command, self.folder / "logs" / f"{name}.log", self.env, self._watchdog)

    def _wait(self, name: str) -> None:
        program = self.programs[name]
        if name == "worker":
            program.wait(lambda: " ready." in program.logged())
        else:
            program.wait(lambda: is_listening(int(self.facts[f"{name}_port"])))

    def _manage(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "example_project.manage", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ProgramError(f"{arguments[0]} failed\n{done.stdout}{done.stderr}")

    def _environment(self) -> dict[str, str]:
        for name in ("broker", "broker-control", "tmp"):
            (self.folder / name).mkdir(exist_ok=True)
        inherited = {name: value for name, value in os.environ.items() if self.sandbox or name not in KEYS}
        return {
            **inherited,
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(self.folder / "tmp"),  # kombu reads its messages there
            "SADADPAY_EMULATOR": self.emulator_url,
            "SHOP_BEAT_SECONDS": str(self._beat),
            "SHOP_FOLDER": str(self.folder),
            "SHOP_SECRET_KEY": str(self.facts["secret_key"]),
            "SHOP_URL": self.shop_url,
            "SHOP_WEBHOOK_SECRET": str(self.facts["webhook_secret"]),
        }


def _facts(folder: Path, shop_port: int) -> dict[str, Any]:
    """Ports and secrets of this folder's demo: made once, since stored orders and invoices know them."""
    file = folder / "demo.json"
    kept: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    facts = {
        "secret_key": secrets.token_urlsafe(40),
        "webhook_secret": secrets.token_urlsafe(24),
        "password": secrets.token_hex(4),
        **kept,
    }
    shop = free_port(kept.get("shop_port", shop_port))
    emulator = free_port(kept.get("emulator_port", shop_port and shop_port + 1), taken=shop)
    facts |= {"shop_port": shop, "emulator_port": emulator}
    file.touch(mode=0o600)
    file.write_text(json.dumps(facts, indent=1))
    return facts


def free_port(wanted: int, taken: int = 0) -> int:
    """``wanted`` if nobody listens there, else any other; never ``taken``."""
    for port in (wanted, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            found = int(probe.getsockname()[1])
            if found != taken:
                return found
    return free_port(0, taken)


def is_listening(port: int) -> bool:
    with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def sandbox_wanted() -> bool:
    """Are there keys of Sadad's own?"""
    return all(os.environ.get(name) for name in KEYS)


@contextmanager
def folder_of_our_own(folder: Path, *, fresh: bool, keep: tuple[str, ...] = ()) -> Iterator[Path]:
    """The folder, locked while we use it; emptied first when ``fresh``, except what is named in ``keep``.

    :raises ProgramError: another demo uses it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        _lock(lock, folder)
        if fresh:
            _empty(folder, {"lock", *keep})
        yield folder


def _lock(lock: IO[str], folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise ProgramError(f"another demo is running in {folder}") from None


def _empty(folder: Path, keep: set[str]) -> None:
    for path in folder.iterdir():
        if path.name in keep:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
