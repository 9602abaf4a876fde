"""Sockets under the transport: what was sent, how long it may take, how much may come, whose they are."""

from __future__ import annotations

import http.client
import io
import os
import socket
import threading
import time
import zlib
from collections import OrderedDict
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.connection import create_connection

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_SESSIONS = 32
# A server may close an idle connection at the very moment when we write to it; nobody can say then whether
# the write was read. Servers keep idle ones for 5 s and more: a write goes over one used in the last 3 s.
WRITE_REUSE_SECONDS = 3.0
HEADER_ROOM = 256 * 1024


class TooMuch(OSError):
    """More bytes came than were allowed."""


@dataclass(slots=True)
class Exchange:
    """One HTTP call: its limits, and whether any of the request may have left this machine."""

    until: float
    max_bytes: int
    writes: bool
    connect_timeout: float = 5.0
    sent: bool = False
    received: int = 0

    def left(self) -> float:
        """Seconds left.

        :raises TimeoutError: none.
        """
        seconds = self.until - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the call's deadline has passed")
        return seconds

    def count(self, size: int) -> None:
        """:raises TooMuch: over the cap, headers and framing included."""
        self.received += size
        if self.received > self.max_bytes + HEADER_ROOM:
            raise TooMuch("the reply is over its cap")


# The exchange that this thread is in: urllib3 makes connections itself and hands nothing through.
_exchange: ContextVar[Exchange] = ContextVar("sadadpay_exchange")


class _TimedReader(io.RawIOBase):
    """A socket's reading end. A socket's timeout starts anew with each byte; here the whole call has one."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        exchange = _exchange.get()
        self._sock.settimeout(exchange.left())
        size = self._raw.readinto(buffer)
        exchange.count(size or 0)
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_TimedReader(sock))


class _Watched(HTTPConnection):
    """A connection that notes when the first byte of a request leaves, and how long it has been idle."""

    response_class = _TimedResponse
    _opening = False
    _used = 0.0

    @property
    def is_connected(self) -> bool:
        idle = time.monotonic() - self._used
        return super().is_connected and not (_exchange.get().writes and idle > WRITE_REUSE_SECONDS)

    def connect(self) -> None:
        # A proxy's CONNECT is sent in here: it is not yet the request.
        self._opening = True
        try:
            super().connect()
        finally:
            self._opening = False

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        exchange = _exchange.get()
        self.sock.settimeout(exchange.left())
        if not self._opening:
            exchange.sent = True
        super().send(data)
        self._used = time.monotonic()

    def _new_conn(self) -> socket.socket:
        # urllib3 gives each address of a host the whole timeout: four dead ones would outlast any deadline.
        error: OSError = ConnectionError("the host has no address")
        for info in socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM):
            try:
                return self._open(str(info[4][0]), int(info[4][1]))
            except OSError as caught:
                error = caught
        raise error

    def _open(self, address: str, port: int) -> socket.socket:
        exchange = _exchange.get()
        return create_connection(
            (address, port),
            min(exchange.connect_timeout, exchange.left()),
            source_address=self.source_address,
            socket_options=self.socket_options,
        )


class _WatchedTLS(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTLS


_POOLS = {"http": _Pool, "https": _TLSPool}


class _Adapter(HTTPAdapter):
    """Keeps one connection a host. The transport repeats calls itself: here nothing is ever sent twice."""

    def __init__(self) -> None:
        super().__init__(pool_connections=4, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        if proxy.lower().startswith("socks"):
            # Its connections are of another class, which would not note what was sent.
            raise requests.exceptions.InvalidProxyURL("SOCKS proxies are not supported")
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        # Even with allow_redirects=False, requests would read and unpack a redirect's whole body.
        return None


def _new_session() -> requests.Session:
    session = _Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter())
    session.headers.update(
        {"User-Agent": "django-sadadpay", "Accept": "application/json", "Accept-Encoding": "gzip"}
    )
    # Accounts share a thread's session: nothing of one may go out with another.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


class SessionPool:
    """One session for each (process, thread), at most 32 kept; the one used longest ago is closed first.

    A session opened before a fork gave each child another's reply: the process is in the key, and a child
    forgets what it inherited. While in use a session is out of the pool: nobody can close it under a call.
    """

    def __init__(self, limit: int = MAX_SESSIONS) -> None:
        self._limit = limit
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = (
            threading.Lock()
        )  # the old one may have been held by a thread that the child does not have
        self._idle: OrderedDict[tuple[int, int], requests.Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._idle)

    def close(self) -> None:
        """Close all sessions that nobody is using."""
        with self._lock:
            idle, self._idle = self._idle, OrderedDict()
        for session in idle.values():
            session.close()

    @contextmanager
    def borrow(self) -> Iterator[requests.Session]:
        key = (os.getpid(), threading.get_ident())
        with self._lock:
            session = self._idle.pop(key, None)
        session = session or _new_session()
        try:
            yield session
        finally:
            for old in self._keep(key, session):
                old.close()

    def _keep(self, key: tuple[int, int], session: requests.Session) -> list[requests.Session]:
        """Put a session back; what is over the limit is handed out to be closed without the lock."""
        with self._lock:
            self._idle[key] = session
            return [self._idle.popitem(last=False)[1] for _ in range(len(self._idle) - self._limit)]


SESSIONS = SessionPool()


@contextmanager
def exchanging(exchange: Exchange) -> Iterator[requests.Session]:
    """This thread's session, held to the limits of one call."""
    token = _exchange.set(exchange)
    try:
        with SESSIONS.borrow() as session:
            yield session
    finally:
        _exchange.reset(token)


def read_body(response: requests.Response, max_bytes: int) -> bytes:
    """The body, unpacked.

    We unpack it ourselves, never past the cap: urllib3's versions differ in how they contain a packed bomb.

    :raises TooMuch: more than ``max_bytes``.
    :raises ValueError, zlib.error: packed in a way that we did not ask for, or broken.
    """
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("gzip", "identity", ""):
        raise ValueError("a content encoding that was not asked for")
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if encoding == "gzip" else None
    body = bytearray()
    for chunk in response.raw.stream(16 * 1024, decode_content=False):
        body += unpack.decompress(chunk, max_bytes + 1 - len(body)) if unpack else chunk
        if len(body) > max_bytes:
            raise TooMuch("the body is over its cap")
    if unpack and not unpack.eof:
        raise ValueError("the packed body is incomplete")
    return bytes(body)
