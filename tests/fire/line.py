"""The emulator reached without a socket: one thread, virtual seconds, and a process that can be killed.

Only the socket is missing: our client builds the request, the emulator's WSGI application answers it, a cut
connection is an error of urllib3's kind. Thousands of steps a minute, and never another order of events.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter

from django_sadadpay.gateway import wire

if TYPE_CHECKING:
    from django_sadadpay.emulator import Emulator

#: No such host: what is not sent over the line goes nowhere.
HOST = "http://sadad.invalid"


class _Socket:
    """What the emulator shuts down to cut the connection."""

    def __init__(self) -> None:
        self.is_cut = False

    def shutdown(self, _how: int) -> None:
        self.is_cut = True


class Stopwatch:
    """Stands in for the emulator's patience: seconds are counted, not waited."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def wait(self, seconds: float) -> bool:
        self.seconds += seconds
        return False

    def clear(self) -> None:
        self.seconds = 0.0

    def set(self) -> None:
        """The emulator stops: nobody waits here."""


class Line(BaseAdapter):
    """Carries a request to the emulator. ``step`` is called before and after: it may kill the process."""

    def __init__(self, emulator: Emulator, step: Callable[[], None]) -> None:
        super().__init__()
        self._emulator = emulator
        self._step = step
        self._watch = Stopwatch()
        vars(emulator.api)["stopping"] = self._watch

    def send(
        self, request: requests.PreparedRequest, *args: Any, timeout: Any = None, **kwargs: Any
    ) -> requests.Response:
        wire._exchange.get().sent = True
        self._step()
        self._watch.clear()
        connection, answer = _Socket(), _Answer()
        body = b"".join(self._emulator(_environ(request, connection), answer))
        self._step()
        if connection.is_cut:
            raise requests.exceptions.ConnectionError("cut")
        if self._watch.seconds > timeout[1]:
            raise requests.exceptions.ReadTimeout("too slow")
        return _response(request, answer, body)

    def close(self) -> None:
        """Nothing is open."""


class _Answer:
    """WSGI's ``start_response``."""

    status = 0
    headers: list[tuple[str, str]] = []

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        self.status, self.headers = int(status[:3]), headers
        return lambda _data: None


def _environ(request: requests.PreparedRequest, connection: _Socket) -> dict[str, Any]:
    url, body = urlsplit(str(request.url)), request.body or b""
    data = body.encode() if isinstance(body, str) else bytes(body)
    environ = {
        "REQUEST_METHOD": str(request.method),
        "SCRIPT_NAME": "",
        "PATH_INFO": url.path,
        "QUERY_STRING": url.query,
        "SERVER_NAME": "sadad.invalid",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(data)),
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(data),
        "werkzeug.socket": connection,
    }
    if "Authorization" in request.headers:
        environ["HTTP_AUTHORIZATION"] = request.headers["Authorization"]
    return environ


def _response(request: requests.PreparedRequest, answer: _Answer, body: bytes) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.headers.update(dict(answer.headers))
    response.url = str(request.url)
    response.request = request
    response.raw = urllib3.HTTPResponse(io.BytesIO(body), dict(answer.headers), preload_content=False)
    return response


def session(line: Line) -> requests.Session:
    """What ``gateway.wire`` opens, with the line in place of its sockets."""
    made = wire._Session()
    made.trust_env = False  # looking for proxies and ~/.netrc takes longer than the whole call
    for scheme in ("http://", "https://"):
        made.mount(scheme, line)
    return made
