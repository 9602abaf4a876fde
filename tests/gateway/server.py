"""A real socket server that answers as told, also in ways in which no HTTP library would."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

# What to do on a connection after a request was read; True keeps the connection.
Answer = Callable[[socket.socket], bool]


@dataclass
class Request:
    verb: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """Answers by path, in turn; the last answer of a path is repeated."""

    tls: ssl.SSLContext | None = None
    silent: bool = False  # accepts and never says a word
    calls: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._answers: dict[str, list[Answer]] = defaultdict(list)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.connections = 0
        self.on("User/GenerateRefreshToken", ok({"refreshToken": "refresh-1"}))
        self.on("User/GenerateAccessToken", ok({"accessToken": "access-1", "expiredAfterSeconds": 86400}))

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/api"

    def on(self, endpoint: str, *answers: Answer) -> Self:
        self._answers[f"/api/{endpoint}"] = list(answers)
        return self

    def to(self, endpoint: str) -> list[Request]:
        return [call for call in self.calls if call.path == f"/api/{endpoint}"]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        shut(self._socket)
        for connection in self._open:
            shut(connection)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            if not self.silent:
                threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            with connection.makefile("rb") as stream:
                while request := read_request(stream, number):
                    self.calls.append(request)
                    if not self._next(request.path)(connection):
                        break
        except OSError:
            pass  # the client has gone, which is what many of these tests make it do
        finally:
            shut(connection)

    def _next(self, path: str) -> Answer:
        answers = self._answers[path]
        if not answers:
            return status(404, b"no such path")
        return answers.pop(0) if len(answers) > 1 else answers[0]


def read_request(stream: Any, number: int) -> Request | None:
    line = stream.readline().decode("latin-1").split()
    if len(line) != 3:
        return None
    headers = {}
    while (header := stream.readline().decode("latin-1").strip()) != "":
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    url = urlsplit(line[1])
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    return Request(line[0], url.path, query, headers, body, number)


def shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    connection.close()


def reply(code: int, body: bytes, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {code} X", f"Content-Length: {headers.pop('length', len(body))}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    return raw(reply(code, body, **headers), keep=True)


def raw(data: bytes, *, keep: bool = False) -> Answer:
    def answer(connection: socket.socket) -> bool:
        connection.sendall(data)
        return keep

    return answer


def envelope(
    response: Any = None, key: str | None = None, *, valid: bool | None = None, code: int = 200
) -> Answer:
    is_valid = key is None if valid is None else valid
    return status(code, json.dumps({"isValid": is_valid, "errorKey": key, "response": response}).encode())


def ok(response: Any = None) -> Answer:
    return envelope(response)


def error(key: str, code: int = 200) -> Answer:
    return envelope(None, key, code=code)


def cut(connection: socket.socket) -> bool:
    """The connection ends without a byte."""
    return False


def reset(connection: socket.socket) -> bool:
    """The connection is torn down: TCP RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return False


def hang(connection: socket.socket) -> bool:
    """Nothing is said, until the client goes."""
    connection.recv(1)
    return False


def drip(data: bytes, gap: float = 0.02) -> Answer:
    """A byte at a time, so that no single wait is ever long."""

    def answer(connection: socket.socket) -> bool:
        for byte in data:
            connection.sendall(bytes([byte]))
            time.sleep(gap)
        return True

    return answer


def endless(head: bytes, chunk: bytes) -> Answer:
    """More and more, until the client goes."""

    def answer(connection: socket.socket) -> bool:
        connection.sendall(head)
        while True:
            connection.sendall(chunk)

    return answer


def closing(inner: Answer) -> Answer:
    """Answers well, as if the connection would stay; then closes it."""

    def answer(connection: socket.socket) -> bool:
        inner(connection)
        return False

    return answer
