"""One stand-in for the whole suite, forgotten before each test."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from django_sadadpay.emulator import Emulator
from tests.raw_http.wire import Api

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def running() -> Iterator[Emulator]:
    with Emulator(deliver="manual", seed=11) as emulator:
        yield emulator


@pytest.fixture
def emulator(running: Emulator) -> Iterator[Emulator]:
    running.control.reset()
    before = running.control.settings()
    yield running
    running.control.settings(**before)


@pytest.fixture
def api(emulator: Emulator) -> Api:
    made = Api(emulator)
    made.log_in()
    return made


@dataclass
class Shop:
    """What a merchant's webhook address was sent. Answers the statuses in ``answers``, then 200."""

    url: str = ""
    verbs: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)


@pytest.fixture
def shop(emulator: Emulator) -> Iterator[Shop]:
    kept = Shop()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.verbs.append(self.command)
            kept.headers.append({name.lower(): value for name, value in self.headers.items()})
            kept.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(kept.answers.pop(0) if kept.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Nothing on the console."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}/hook/"
    emulator.webhook_url = kept.url
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()
