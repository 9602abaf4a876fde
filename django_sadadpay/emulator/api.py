"""The API itself: find the endpoint, meet the faults, do the work, answer, keep a log."""

from __future__ import annotations

import logging
import socket
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from django_sadadpay.emulator import auth, binding, replies
from django_sadadpay.emulator.protocol import ApiRequest, Refusal, Route
from django_sadadpay.emulator.routes import BY_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django_sadadpay.emulator.faults import Fault
    from django_sadadpay.emulator.replies import Reply
    from django_sadadpay.emulator.state import World

logger = logging.getLogger("django_sadadpay.emulator")

#: Calls kept in the log; the oldest are forgotten.
LOG_SIZE = 10_000


@dataclass(frozen=True, slots=True)
class Call:
    """One API call as it went: ``authenticated`` says that it carried what its endpoint asks for.

    ``done``: the work was done, whatever was answered. ``status`` is the HTTP status, None for a cut
    connection. ``at`` is UTC on the stand-in's clock. Bodies hold personal data: no repr, no console.
    """

    endpoint: str
    verb: str
    authenticated: bool
    body: Any = field(repr=False)
    query: dict[str, str] = field(repr=False)
    faults: tuple[str, ...]
    done: bool
    status: int | None
    error_key: str | None
    at: datetime


@dataclass(slots=True)
class Tally:
    """How often an endpoint was called since the start, and how the latest call ended; for the overview."""

    calls: int = 0
    status: int | None = None
    error_key: str | None = None


class Api:
    """Answers ``/api/...``."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.log: deque[Call] = deque(maxlen=LOG_SIZE)
        self.tallies: dict[str, Tally] = {}
        self._counting = threading.Lock()
        self.stopping = threading.Event()

    def answer(self, request: Request, path: str) -> Response:
        """``path`` is what follows ``/api``."""
        route = BY_PATH.get(path.rstrip("/").lower())
        if route is None:
            return Response("", 404)
        if route.verb != request.method:
            return Response("", 405, {"Allow": route.verb})
        return self._send(self._handle(route, request), request)

    def _handle(self, route: Route, request: Request) -> Reply:
        data = request.get_data()
        authorization = request.headers.get("Authorization", "")
        with self.world.transaction():
            token_error = auth.why_not_authorized(self.world, authorization)
        denied = _denied(route, token_error)
        faults = self.world.faults.take(route.name, authenticated=denied is None)
        self._wait(faults)
        body, malformed = _body(route, data)
        kinds = frozenset(fault.kind for fault in faults)
        asked = ApiRequest(request.args.to_dict(), body, authorization, kinds)
        done, reply = self._outcome(route, asked, faults, denied or malformed)
        authenticated = done if route.auth in ("basic", "refresh") else token_error is None
        self._note(route, asked, faults, authenticated, done, reply)
        return reply

    def _wait(self, faults: tuple[Fault, ...]) -> None:
        for fault in faults:
            if fault.kind == "latency":
                self.stopping.wait(fault.options["seconds"])

    def _outcome(
        self, route: Route, asked: ApiRequest, faults: tuple[Fault, ...], refusal: Refusal | None
    ) -> tuple[bool, Reply]:
        for fault in faults:
            early = replies.instead(fault)
            if early is not None:
                return False, early
        done, reply = (False, replies.refused(refusal)) if refusal else self._work(route, asked, faults)
        for fault in faults:
            reply = replies.afterwards(fault, reply)
        return done, reply

    def _work(self, route: Route, asked: ApiRequest, faults: tuple[Fault, ...]) -> tuple[bool, Reply]:
        try:
            with self.world.transaction():
                response = route.handler(self.world, asked)
                shown = replies.twisted(self.world, response, faults)
        except Refusal as refusal:
            return False, replies.refused(refusal)
        blank = "" if self.world.settings.empty_error_key == "empty" else None
        return True, replies.envelope(shown, blank=blank)

    def _note(
        self,
        route: Route,
        asked: ApiRequest,
        faults: tuple[Fault, ...],
        authenticated: bool,
        done: bool,
        reply: Reply,
    ) -> None:
        call = Call(
            endpoint=route.name,
            verb=route.verb,
            authenticated=authenticated,
            body=asked.body,
            query=dict(asked.query),
            faults=tuple(fault.kind for fault in faults),
            done=done,
            status=None if reply.cut else reply.status,
            error_key=reply.error_key,
            at=datetime.fromtimestamp(self.world.now(), UTC),
        )
        self._keep(call)
        logger.info(
            "%s %s %s %s", call.endpoint, call.status or "cut", call.error_key or "", call.faults or ""
        )

    def _keep(self, call: Call) -> None:
        with self._counting:
            self.log.append(call)
            tally = self.tallies.setdefault(call.endpoint, Tally())
            tally.calls += 1
            tally.status, tally.error_key = call.status, call.error_key

    def forget(self) -> None:
        """Empty the log and start counting anew."""
        with self._counting:
            self.log.clear()
            self.tallies.clear()

    def _send(self, reply: Reply, request: Request) -> Response:
        if reply.cut:
            cut_connection(request.environ["werkzeug.socket"])
            return Response("", 500)
        response = Response(
            reply.body, reply.status, {**reply.headers, "Content-Length": str(len(reply.body))}
        )
        response.headers["Content-Type"] = reply.content_type
        if reply.drip:
            response.response = self._drip(reply)
        return response

    def _drip(self, reply: Reply) -> Iterator[bytes]:
        size = max(1, len(reply.body) // 20)
        for start in range(0, len(reply.body), size):
            self.stopping.wait(reply.drip / 20)
            yield reply.body[start : start + size]


def _denied(route: Route, token_error: str | None) -> Refusal | None:
    """HTTP 401 in the envelope for a missing, wrong or expired access token (contract 1.4).

    The token calls look at their own header and refuse in HTTP 200.
    """
    if token_error is None or route.auth != "access":
        return None
    return Refusal(token_error, status=401)


def _body(route: Route, data: bytes) -> tuple[Any, Refusal | None]:
    if not route.reads_body:
        return None, None
    try:
        return binding.parse(data), None
    except Refusal as refusal:
        return None, refusal


def cut_connection(connection: socket.socket) -> None:
    """Close the connection under the server's feet: it then finds nobody to write to."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        logger.debug("the client had gone already")
