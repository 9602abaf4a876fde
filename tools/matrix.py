"""Runs tox's environments side by side: seconds, slowest tests, pytest's closing line, failures of each."""

from __future__ import annotations

import configparser
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tools.python import ROOT, environment, say, surroundings
from tools.system import Need, install_missing

TOOLS = ("tox>=4.30", "tox-uv>=1.25", "packaging>=24")
DEMO = ".[celery,emulator]"
LOGS = ROOT / ".tox" / "logs"
DIST = ROOT / ".tox" / "dist"
WORK = ROOT / ".tox" / "run"  # a work folder for each: two tox at once would trip over a common one
AT_ONCE = 3  # environments: each waits for its servers and sockets a third of its time
LIMIT = 1500.0  # seconds for one environment; a hanging one is a failure, not a hanging CI
TAIL = 150  # lines of a failed environment's log that are shown
SLOWEST = re.compile(r"^=+ slowest \d+ durations =+$")
CLOSING = re.compile(r"^=+ .*\b(passed|failed|errors?|skipped|deselected)\b.* in [\d.]+s.* =+$")
NEEDS_OF = {
    "postgres": {"PostgreSQL"},
    "mariadb": {"MariaDB"},
    "races": {"PostgreSQL", "MariaDB"},
    "celery": {"Redis", "PostgreSQL"},
    "browser": {"a Chromium browser", "an Arabic font"},
    "lint": {"gettext"},
}
# Long ones first, so that the last minutes are not one environment's alone.
ORDER = [
    "py312-django61",
    "postgres",
    "py311-django52",
    "py313-django61",
    "fire",
    "races",
    "celery",
    "browser",
    "py312-django60",
    "mariadb",
    "hardened",
    "demo",
]
AFTER = {"coverage": ("py312-django61", "postgres")}


class Outcome(NamedTuple):
    """How one environment ended."""

    name: str
    code: int
    seconds: float
    closing: str
    slowest: list[str]


def known() -> list[str]:
    """The environments of tox.ini that run when none is named."""
    return _ini()["tox"]["env_list"].split()


def special() -> list[str]:
    """Those that run only by name: long experiments."""
    sections = (section.partition(":")[2] for section in _ini().sections() if section.startswith("testenv:"))
    return [name for name in sections if name not in known()]


def _ini() -> configparser.RawConfigParser:
    ini = configparser.RawConfigParser()
    ini.read(ROOT / "tox.ini", encoding="utf-8")
    return ini


def test(names: list[str]) -> int:
    """``./run test [env…]``: 0 when all that ran is green and, under CI, when all did run."""
    there = [*known(), *special()]
    unknown = set(names) - set(there)
    if unknown:
        say(f"no environment {', '.join(sorted(unknown))}; there are: {' '.join(there)}")
        return 2
    began = time.monotonic()
    missing = _missing(names or known())
    runnable = [name for name in names or known() if name not in missing]
    outcomes = _run_all(runnable) if runnable else []
    return _summary(outcomes, missing, time.monotonic() - began)


def _missing(names: list[str]) -> dict[str, list[Need]]:
    """What each environment lacks, after everything that we may install was installed."""
    wanted = {name: NEEDS_OF.get(name, set()) | {_python(name)} for name in names}
    lacking = {need.name: need for need in install_missing(set().union(*wanted.values()))}
    found = {name: [lacking[one] for one in sorted(needs & set(lacking))] for name, needs in wanted.items()}
    for name, before in AFTER.items():
        if name in found:
            found[name] += [need for one in before for need in found.get(one, [])]
    return {name: needs for name, needs in found.items() if needs}


def _python(name: str) -> str:
    match = re.match(r"py3(\d+)", name)
    return f"Python 3.{match.group(1)}" if match else "Python 3.12"


def _run_all(names: list[str]) -> list[Outcome]:
    programs = environment(DEMO, *TOOLS)
    wheel = _build(programs)
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True)
    tox = [str(programs / "tox"), "run", "--installpkg", str(wheel)]
    return _Runner(tox, live=len(names) == 1).run(sorted(names, key=_turn))


def _turn(name: str) -> tuple[bool, int]:
    return name in AFTER, ORDER.index(name) if name in ORDER else len(ORDER)


def _build(programs: Path) -> Path:
    """One wheel, made from the sdist, for all environments."""
    shutil.rmtree(DIST, ignore_errors=True)
    uv, python = str(programs / "uv"), str(programs / "python")
    command = [uv, "build", "-q", "--python", python, "-o", str(DIST), str(ROOT)]
    subprocess.run(command, env=surroundings(), check=True)
    return next(DIST.glob("*.whl"))


class _Runner:
    def __init__(self, tox: list[str], live: bool) -> None:
        self.tox, self.live = tox, live
        self.running: set[subprocess.Popen[str]] = set()
        self.futures: dict[str, Future[Outcome]] = {}
        self.screen = threading.Lock()
        self.environ = surroundings()

    def run(self, names: list[str]) -> list[Outcome]:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            for name in names:
                self.futures[name] = pool.submit(self._one, name)
            return [future.result() for future in self.futures.values()]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            self._stop()
            raise

    def _stop(self) -> None:
        for process in list(self.running):
            os.killpg(process.pid, signal.SIGTERM)

    def _one(self, name: str) -> Outcome:
        for earlier in AFTER.get(name, ()):
            if earlier in self.futures:
                self.futures[earlier].result()
        began = time.monotonic()
        log = LOGS / f"{name}.log"
        code = self._process(name, log)
        lines = log.read_text(encoding="utf-8").splitlines()
        outcome = Outcome(name, code, time.monotonic() - began, _closing(lines), _slowest(lines))
        with self.screen:
            _show(outcome, log, self.live)
        return outcome

    def _process(self, name: str, log: Path) -> int:
        process = subprocess.Popen(
            [*self.tox, "--workdir", str(WORK / name), "-e", name],
            cwd=ROOT,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        self.running.add(process)
        timer = threading.Timer(LIMIT, os.killpg, (process.pid, signal.SIGTERM))
        timer.start()
        with log.open("w", encoding="utf-8") as file:
            for line in process.stdout or ():
                file.write(line)
                if self.live:
                    sys.stdout.write(line)
        timer.cancel()
        self.running.discard(process)
        return process.wait()


def _closing(lines: list[str]) -> str:
    return next((line for line in reversed(lines) if CLOSING.match(line)), "")


def _slowest(lines: list[str]) -> list[str]:
    """What pytest says under --durations: one line a test, as long as there are seconds in front."""
    start = next((number for number, line in enumerate(lines) if SLOWEST.match(line)), len(lines))
    return list(itertools.takewhile(lambda line: re.match(r"^ *[\d.]+s ", line), lines[start + 1 :]))


def _show(outcome: Outcome, log: Path, live: bool) -> None:
    if outcome.code and not live:
        lines = log.read_text(encoding="utf-8").splitlines()[-TAIL:]
        print(f"----- {outcome.name}, the end of {log.relative_to(ROOT)}:", *lines, sep="\n")
    print(_line(outcome), flush=True)
    if outcome.closing and not live:
        print(*(f"    {line}" for line in outcome.slowest), outcome.closing, sep="\n", flush=True)


def _line(outcome: Outcome) -> str:
    return f"{'FAILED' if outcome.code else 'ok':<7} {outcome.name:<16} {outcome.seconds:6.1f} s"


def _summary(outcomes: list[Outcome], missing: dict[str, list[Need]], seconds: float) -> int:
    print("\n----- summary")
    for outcome in sorted(outcomes, key=lambda one: one.code != 0):
        print(_line(outcome))
    print(f"{len(outcomes)} environments in {seconds:.0f} s; logs in {LOGS.relative_to(ROOT)}")
    for name, needs in missing.items():
        print(f"NOT RUN {name}: needs " + "; ".join(f"{need.name} ({need.cure})" for need in needs))
    sys.stdout.flush()
    strict = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
    return int(any(outcome.code for outcome in outcomes) or (strict and bool(missing)) or not outcomes)
