"""The demo's programs: nothing is left running, nothing is written elsewhere, and what went wrong is told."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from example_project.demo.program import Program, ProgramError, Watchdog
from example_project.demo.stack import Stack, folder_of_our_own, free_port, is_listening

ROOT = Path(__file__).resolve().parent.parent.parent
#: A program with a child of its own, both deaf to a polite request; the child's process id is logged.
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child:
    print(child, os.getpid(), "ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    made = Watchdog()
    yield made
    made.close()


@pytest.fixture
def make(tmp_path: Path, watchdog: Watchdog) -> Callable[[str], Program]:
    def program(code: str) -> Program:
        return Program("it", ["-c", code], tmp_path / "it.log", dict(os.environ), watchdog)

    return program


def lives(pid: int) -> bool:
    """Running, and not merely a dead child that nobody has asked about."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(seen: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def started(program: Program) -> list[int]:
    program.start()
    program.wait(lambda: "ready" in program.logged())
    return [int(word) for word in program.logged().split()[:2]]


def test_a_kill_takes_the_children_of_a_program_too(make: Callable[[str], Program]) -> None:
    program = make(STUBBORN)
    pids = started(program)
    program.kill()
    until(lambda: not any(map(lives, pids)))
    assert not program.is_running


def test_a_program_that_ends_at_once_is_told_with_its_last_words(make: Callable[[str], Program]) -> None:
    program = make("print('no room'); raise SystemExit(3)")
    program.start()
    with pytest.raises(ProgramError, match=r"(?s)it did not come up.*no room"):
        program.wait(lambda: False)


def test_a_restarted_program_is_judged_by_its_new_words(make: Callable[[str], Program]) -> None:
    program = make("print('ready', flush=True); import time; time.sleep(600)")
    program.start()
    program.wait(lambda: "ready" in program.logged())
    program.kill()
    program.command = ["-c", "print('other', flush=True); import time; time.sleep(600)"]
    program.start()
    program.wait(lambda: "other" in program.logged())
    assert "ready" not in program.logged()
    program.stop()


KILLED = """
import os, pathlib, sys
from example_project.demo.program import Program, Watchdog
program = Program("it", ["-c", sys.argv[2]], pathlib.Path(sys.argv[1]), dict(os.environ), Watchdog())
program.start()
program.wait(lambda: "ready" in program.logged())
print("ready", flush=True)
import time; time.sleep(600)
"""


def test_programs_end_when_the_demo_is_killed(tmp_path: Path) -> None:
    """``kill -9`` leaves a program no time to clean up: another process has to."""
    log = tmp_path / "it.log"
    demo = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(log), STUBBORN], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert demo.stdout is not None
    assert demo.stdout.readline() == b"ready\n"
    pids = [int(word) for word in log.read_text().split()[:2]]
    assert all(map(lives, pids))
    demo.kill()
    demo.wait()
    demo.stdout.close()
    until(lambda: not any(map(lives, pids)))


def test_a_wanted_port_is_taken_when_it_is_free_and_another_when_not() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        busy = other.getsockname()[1]
        assert is_listening(busy)
        assert free_port(busy) != busy
    assert free_port(busy) == busy
    assert free_port(busy, taken=busy) != busy


def test_a_second_demo_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with folder_of_our_own(tmp_path, fresh=False), pytest.raises(ProgramError, match="another demo"):
        with folder_of_our_own(tmp_path, fresh=True):
            raise AssertionError("two demos in one folder")


def test_fresh_forgets_everything_but_what_is_named(tmp_path: Path) -> None:
    for name in ("shop.sqlite3", "demo.json"):
        (tmp_path / name).touch()
    for name in ("logs", "check"):
        (tmp_path / name).mkdir()
    with folder_of_our_own(tmp_path, fresh=True, keep=("check",)):
        assert sorted(path.name for path in tmp_path.iterdir()) == ["check", "lock"]


def test_a_later_demo_keeps_ports_and_secrets(tmp_path: Path) -> None:
    first, second = (Stack(tmp_path, beat=1, webhook_interval=1) for _ in range(2))
    assert (first.shop_url, first.emulator_url, first.password, first.webhook_url) == (
        second.shop_url,
        second.emulator_url,
        second.password,
        second.webhook_url,
    )


def test_only_the_owner_reads_the_secrets_of_a_demo(tmp_path: Path) -> None:
    Stack(tmp_path, beat=1, webhook_interval=1)
    assert (tmp_path / "demo.json").stat().st_mode & 0o077 == 0
    assert len(json.loads((tmp_path / "demo.json").read_text())["secret_key"]) > 40


def test_sadads_own_keys_reach_the_sandbox_demo_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SADADPAY_CLIENT_KEY", "a real one")
    monkeypatch.setenv("SADADPAY_CLIENT_SECRET", "a real one")
    emulated = Stack(tmp_path, beat=1, webhook_interval=1)
    assert "SADADPAY_CLIENT_KEY" not in emulated.env
    assert (
        Stack(tmp_path, beat=1, webhook_interval=1, sandbox=True).env["SADADPAY_CLIENT_KEY"] == "a real one"
    )


@pytest.mark.celery
def test_ctrl_c_stops_all_three_and_a_later_demo_goes_on(tmp_path: Path) -> None:
    """The whole demo, twice; everything that it writes is in its folder, and nothing where it stands."""
    folder, here = tmp_path / "demo", tmp_path / "here"
    here.mkdir()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-u", "-m", "example_project.demo", "--folder", str(folder), "--port", "0"]
    for _ in range(2):
        demo = subprocess.Popen(
            command, cwd=here, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        said = _said_until_it_runs(demo)
        facts = json.loads((folder / "demo.json").read_text())
        ports = [facts["shop_port"], facts["emulator_port"]]
        assert f"password {facts['password']}" in said
        assert all(map(is_listening, ports))
        demo.send_signal(signal.SIGINT)
        rest, _nothing = demo.communicate()
        assert (demo.returncode, rest.strip()) == (0, "stopped")
        assert not any(map(is_listening, ports))
    assert not list(here.iterdir())
    assert {"shop.sqlite3", "logs", "demo.json", "emulator.json"} <= {path.name for path in folder.iterdir()}


def _said_until_it_runs(demo: subprocess.Popen[str]) -> str:
    assert demo.stdout is not None
    said = ""
    for line in demo.stdout:
        said += line
        if line.startswith("Ctrl-C"):
            break
    return said
