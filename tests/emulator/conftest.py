"""A merchant with nothing but ``requests``: our own client must not vouch for itself."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from django_sadadpay.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DATA = Path(__file__).parent / "data"


def sample(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text("utf-8"))


class Merchant:
    """Raw HTTP with a token of its own."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.token = ""
        self.log_in()

    def log_in(self) -> None:
        keys = (self.emulator.client_key, self.emulator.client_secret)
        reply = requests.post(f"{self.emulator.api_url}/User/GenerateRefreshToken", auth=keys, timeout=5)
        self.refresh = reply.json()["response"]["refreshToken"]
        reply = self.send("POST", "User/GenerateAccessToken", token=self.refresh)
        self.token = reply.json()["response"]["accessToken"]

    def send(
        self, verb: str, path: str, *, token: str | None = None, timeout: float = 5, **options: Any
    ) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        url = f"{self.emulator.api_url}/{path}"
        return requests.request(verb, url, headers=headers, timeout=timeout, **options)

    def ask(self, verb: str, path: str, **options: Any) -> Any:
        """The whole envelope of a call that Sadad answers with HTTP 200."""
        reply = self.send(verb, path, **options)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def insert(self, **fields: Any) -> int:
        """A plain invoice of 12.500 KWD; gives its id."""
        invoice = {"amount": "12.500", "customer_Name": "Sara", "lang": "en", **fields}
        return int(self.ask("POST", "Invoice/insert", json={"Invoices": [invoice]})["response"]["invoiceId"])

    def refused(self, **fields: Any) -> str:
        """The error key of an insert that is refused in HTTP 200."""
        invoice = {"amount": "12.500", "customer_Name": "Sara", **fields}
        reply = self.ask("POST", "Invoice/insert", json={"Invoices": [invoice]})
        assert (reply["isValid"], reply["response"]) == (False, None)
        return str(reply["errorKey"])

    def read(self, invoice_id: int) -> Any:
        return self.ask("GET", "Invoice/getbyid", params={"id": invoice_id})["response"]

    def make(self, group: str, **fields: Any) -> Any:
        """Insert an object that Sadad takes; gives the ``response``."""
        reply = self.ask("POST", f"{group}/insert", json=fields)
        assert (reply["isValid"], reply["errorKey"]) == (True, None), reply
        return reply["response"]

    def error(self, verb: str, path: str, **options: Any) -> str:
        """The error key of a call that is refused in HTTP 200 and answers nothing."""
        reply = self.ask(verb, path, **options)
        assert (reply["isValid"], reply["response"]) == (False, None), reply
        return str(reply["errorKey"])

    def refund(self, invoice_id: int, amount: str, **fields: Any) -> Any:
        body = {
            "invoice_Id": str(invoice_id),
            "amount": amount,
            "refund_Type": "DeductFromBalance",
            "currency_Code": "KWD",
            **fields,
        }
        return self.ask("POST", "Refund/insert", json=body)


def wait_until(condition: Callable[[], bool]) -> None:
    """What another thread of the emulator does soon; fails after 5 seconds."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(deliver="manual", seed=7) as running:
        yield running


@pytest.fixture
def merchant(emulator: Emulator) -> Merchant:
    return Merchant(emulator)


@dataclass
class Receiver:
    """A shop's webhook: keeps what comes, answers the statuses in ``answers`` and then 200."""

    url: str = ""
    bodies: list[Any] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)

    @property
    def ids(self) -> list[int]:
        return [body["invoiceId"] for body in self.bodies]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(kept.answers.pop(0) if kept.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            kept.came.set()

        def log_message(self, *args: Any) -> None:
            """Nothing on the console."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}/hook/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()
