"""The private servers answer, and do not outlive whoever started them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.servers import redis
from tests.servers.private import PrivateServer, ServerError, find

pytestmark = pytest.mark.redis

PATIENCE = 20.0  # seconds until a test gives up waiting for a process


def listens(address: str) -> bool:
    url = urlsplit(address)
    with closing(socket.socket()) as probe:
        return probe.connect_ex((url.hostname or "", url.port or 0)) == 0


def wait_until_silent(address: str) -> None:
    until = time.monotonic() + PATIENCE
    while listens(address):
        assert time.monotonic() < until, f"{address} still listens"
        time.sleep(0.05)


def test_a_private_redis_answers_and_is_gone_afterwards() -> None:
    with redis.server() as address:
        url = urlsplit(address)
        with socket.create_connection((url.hostname, url.port)) as connection:
            connection.sendall(b"PING\r\n")
            assert connection.recv(64) == b"+PONG\r\n"
    assert not listens(address)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_is_gone_when_its_starter_is_killed(how: signal.Signals) -> None:
    command = [sys.executable, "-c", f"import os; print(os.environ['{redis.VARIABLE}'], flush=True); input()"]
    starter = subprocess.Popen(
        [sys.executable, "-m", "tests.servers.redis", "--", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert starter.stdout is not None
    address = starter.stdout.readline().strip()
    assert listens(address)
    starter.send_signal(how)
    starter.communicate(timeout=PATIENCE)
    wait_until_silent(address)


def test_the_starter_ends_with_the_exit_code_of_its_command() -> None:
    command = [sys.executable, "-c", "raise SystemExit(7)"]
    done = subprocess.run([sys.executable, "-m", "tests.servers.redis", "--", *command], check=False)
    assert done.returncode == 7


def test_a_server_that_does_not_come_up_says_what_it_logged() -> None:
    private = PrivateServer("broken")
    with pytest.raises(ServerError, match="no-such-option"):
        with private.running(find("redis-server"), "--no-such-option", "1"):
            pytest.fail("it cannot have come up")
    assert not private.folder.exists()


def test_a_missing_program_is_named() -> None:
    with pytest.raises(ServerError, match="sadadpay-no-such-server is not installed"):
        find("sadadpay-no-such-server")


def test_settings_say_how_to_get_a_database_server() -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SADADPAY_TEST")}
    done = subprocess.run(
        [sys.executable, "-c", "import tests.settings.postgres"],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "run this under `python -m tests.servers" in done.stderr
