"""The soak's processes: private PostgreSQL and Redis, the emulator, gunicorn, Celery workers and beat."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from example_project.demo.program import Program, ProgramError, Watchdog
from example_project.demo.stack import HOST, ROOT, free_port, is_listening
from tests.servers import postgres, redis

#: Processes in the pool ("prefork") of a Celery node.
CHILDREN = 2
#: Threads in each worker of gunicorn ("gthread").
WEB_THREADS = 20
MODULE = "benchmarks.soak.settings"


class Served(Program):
    """A program whose processes can be named: to measure them and to kill one."""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def children(self) -> list[int]:
        """The processes that it has started and that still run."""
        return children_of(self.pid) if self.pid is not None else []


def children_of(pid: int) -> list[int]:
    """Started by any of its threads: a Celery pool renews its processes in one of its own."""
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # the thread has ended
            found += [int(one) for one in file.read_text().split()]
    return found


def servers() -> dict[str, int]:
    """Name → pid of the private servers that this process has started (under ``tests.servers.keeper``)."""
    found = {}
    for keeper in children_of(os.getpid()):
        if "keeper.py" in _command_line(keeper):
            for server in children_of(keeper):
                found[Path(_command_line(server).split()[0]).name] = server
    return found


def _command_line(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    return ""


class Stack:
    """Everything that runs, in ``folder``; ``programs`` are ours.

    :param workers: of gunicorn, and nodes of Celery.
    """

    def __init__(self, folder: Path, seed: int, workers: int) -> None:
        self.folder, self.seed, self.workers = folder, seed, workers
        self.password = secrets.token_hex(8)
        self._secret = secrets.token_urlsafe(24)
        ports: list[int] = []
        for _ in range(2):
            ports.append(free_port(0, taken=ports[-1] if ports else 0))
        self.shop_port, self.emulator_port = ports
        self.env: dict[str, str] = {}
        self.programs: dict[str, Served] = {}
        self._watchdog: Watchdog | None = None

    @property
    def shop_url(self) -> str:
        return f"http://{HOST}:{self.shop_port}"

    @property
    def emulator_url(self) -> str:
        return f"http://{HOST}:{self.emulator_port}"

    @property
    def webhook_url(self) -> str:
        return f"{self.shop_url}/payments/webhook/default/{self._secret}/"

    # Life

    @contextmanager
    def running(self) -> Iterator[Stack]:
        """Start the servers, migrate, start the programs; stop all of them at the end.

        :raises ProgramError: something did not come up. :raises ServerError: a server's program is missing.
        """
        with ExitStack() as stack:
            self.env = self._environment(
                stack.enter_context(postgres.server()), stack.enter_context(redis.server())
            )
            self._watchdog = Watchdog()
            stack.callback(self._watchdog.close)
            stack.callback(self.stop)
            self.manage("migrate", "-v", "0")
            self.manage("seed_shop", "--password", self.password)
            for name, command in self._commands().items():
                self.programs[name] = self._program(name, command)
                self.programs[name].start()
            for name in self.programs:
                self._wait(name)
            yield self

    def stop(self, *names: str) -> None:
        """Stop these programs, or all; each is asked first."""
        for name in names or tuple(reversed(self.programs)):
            self.programs[name].stop()

    def stop_shop(self) -> None:
        """All but the emulator."""
        self.stop(*(name for name in reversed(self.programs) if name != "emulator"))

    def revive(self) -> list[str]:
        """Start again what has ended, as a service manager does; the names."""
        ended = [name for name, program in self.programs.items() if not program.is_running]
        for name in ended:
            self.programs[name].kill()  # what is left of its group
            self.programs[name].start()
        return ended

    def manage(self, *arguments: str, env: dict[str, str] | None = None) -> str:
        """A management command of the shop. :raises ProgramError: it failed."""
        process = self.command(*arguments, env=env)
        out, _ = process.communicate()
        if process.returncode:
            raise ProgramError(f"{arguments[0]} failed\n{out}")
        return out

    def command(self, *arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """A management command under way."""
        return subprocess.Popen(
            [sys.executable, "-m", "example_project.manage", *arguments],
            cwd=ROOT,
            env={**self.env, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    # Parts

    def _commands(self) -> dict[str, list[str]]:
        emulator = [
            *("-m", "benchmarks.soak.sadad", "--port", str(self.emulator_port)),
            *("--webhook-url", self.webhook_url, "--seed", str(self.seed)),
        ]
        shop = [
            *("-m", "gunicorn", "benchmarks.soak.wsgi:application", "--bind", f"{HOST}:{self.shop_port}"),
            *("--worker-class", "gthread", "--workers", str(self.workers), "--threads", str(WEB_THREADS)),
            *("--worker-tmp-dir", str(self.folder), "--no-control-socket"),
        ]
        nodes = {f"celery{n}": self._node(n) for n in range(1, self.workers + 1)}
        beat = [
            *("-m", "celery", "-A", "example_project", "beat", "--loglevel", "INFO"),
            *("--schedule", str(self.folder / "beat"), "--pidfile="),
        ]
        return {"emulator": emulator, "shop": shop, **nodes, "beat": beat}

    @staticmethod
    def _node(number: int) -> list[str]:
        return [
            *("-m", "celery", "-A", "example_project", "worker", "-n", f"soak{number}@%h"),
            *("--pool", "prefork", "--concurrency", str(CHILDREN), "--loglevel", "INFO"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ]

    def _program(self, name: str, command: list[str]) -> Served:
        assert self._watchdog is not None
        return Served(name, command, self.folder / "logs" / f"{name}.log", self.env, self._watchdog)

    def _wait(self, name: str) -> None:
        program, ports = self.programs[name], {"shop": self.shop_port, "emulator": self.emulator_port}
        if name in ports:
            program.wait(lambda: is_listening(ports[name]))
        else:
            program.wait(lambda: " ready." in program.logged() or "beat: Starting" in program.logged())

    def _environment(self, database: str, broker: str) -> dict[str, str]:
        (self.folder / "broker").mkdir(exist_ok=True)  # the example's settings name it
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SADADPAY_")}
        return {
            **inherited,
            "DJANGO_SETTINGS_MODULE": MODULE,
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "PYTHONUNBUFFERED": "1",
            "SADADPAY_EMULATOR": self.emulator_url,
            postgres.VARIABLE: database,
            redis.VARIABLE: broker,
            "SHOP_BEAT_SECONDS": "6",
            "SHOP_FOLDER": str(self.folder),
            "SHOP_SECRET_KEY": secrets.token_urlsafe(40),
            "SHOP_URL": self.shop_url,
            "SHOP_WEBHOOK_SECRET": self._secret,
        }


def kill(pid: int) -> bool:
    """SIGKILL; False when it has gone already."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False
