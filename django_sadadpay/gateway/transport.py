"""One call to Sadad over HTTP: deadlines, caps, and repeats only where they can do no harm (money-flow 8)."""

from __future__ import annotations

import http.client
import random
import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests
import urllib3

from django_sadadpay.gateway import envelope
from django_sadadpay.gateway.errors import ReplyTooLarge, SadadError, Unavailable
from django_sadadpay.gateway.wire import Exchange, TooMuch, exchanging, read_body

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django_sadadpay.gateway.endpoints import Endpoint
    from django_sadadpay.gateway.envelope import Reply
    from django_sadadpay.gateway.hidden import Hidden

# All that requests, urllib3, http.client, ssl, socket and zlib raise for a call that went wrong.
_BROKEN = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
    zlib.error,
)


@dataclass(slots=True)
class Attempts:
    """HTTP calls left for one call of ours, shared between repeats for any reason."""

    left: int


class _Authorization(requests.auth.AuthBase):
    """Sets the header. Handed in as ``auth``, since requests would otherwise take one from a ~/.netrc."""

    def __init__(self, value: Hidden | None) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._value is not None:
            request.headers["Authorization"] = str.__str__(self._value)
        return request


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is sent: wire names, already encoded. Never shown: it holds personal data."""

    endpoint: Endpoint
    query: Mapping[str, str]
    body: bytes | None
    authorization: Hidden | None

    def __repr__(self) -> str:
        return f"<{self.endpoint.verb} {self.endpoint.name}>"


class Transport:
    """
    :param api_url: for example ``https://api.sadadpay.net/api``.
    :param connect_timeout: seconds for opening a connection, TLS included.
    :param deadline: seconds for a whole call with its repeats, however slowly the answer drips.
        A name look-up cannot be interrupted; the system's own limit holds for it.
    :param max_bytes: cap on a body, unpacked.
    :param before_call: called with the endpoint's name before every HTTP call. It may raise.
    :param pause: seconds before the first repeat; doubled each time, with jitter.
    """

    def __init__(
        self,
        api_url: str,
        *,
        connect_timeout: float = 5.0,
        deadline: float = 20.0,
        max_bytes: int = 4 * 1024 * 1024,
        before_call: Callable[[str], None] | None = None,
        pause: float = 0.2,
    ) -> None:
        self.api_url = api_url.rstrip("/")
        self.connect_timeout = connect_timeout
        self.deadline = deadline
        self.max_bytes = max_bytes
        self._before_call = before_call
        self._pause = pause

    def send(
        self,
        outgoing: Outgoing,
        *,
        deadline: float | None = None,
        max_bytes: int | None = None,
        attempts: Attempts | None = None,
    ) -> Reply:
        """Make one call. A reply of any status comes back, even one that is no envelope.

        Repeated, within the deadline, are only GETs and calls of which not a byte can have left this machine.

        :raises Unavailable: no answer, and nothing was done.
        :raises OutcomeUnknown: no answer to a write that may have left.
        """
        until = time.monotonic() + (self.deadline if deadline is None else deadline)
        attempts = attempts or Attempts(outgoing.endpoint.attempts)
        pause = self._pause
        while True:
            exchange = self._exchange(outgoing, until, max_bytes)
            attempts.left -= 1
            outcome = self._once(outgoing, exchange)
            last = attempts.left <= 0 or time.monotonic() + 2 * pause >= until
            if last or not _repeatable(outgoing.endpoint, exchange, outcome):
                break
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
            pause *= 2
        if isinstance(outcome, SadadError):
            raise outcome
        return outcome

    def _exchange(self, outgoing: Outgoing, until: float, max_bytes: int | None) -> Exchange:
        return Exchange(
            until=until,
            max_bytes=self.max_bytes if max_bytes is None else max_bytes,
            writes=not outgoing.endpoint.reads,
            connect_timeout=self.connect_timeout,
        )

    def _once(self, outgoing: Outgoing, exchange: Exchange) -> Reply | SadadError:
        if self._before_call is not None:
            self._before_call(outgoing.endpoint.name)
        try:
            return self._talk(outgoing, exchange)
        except _BROKEN as error:
            # requests' exceptions carry the request with its headers: only the cause's name goes on.
            return _broken(outgoing.endpoint, exchange, error)

    def _talk(self, outgoing: Outgoing, exchange: Exchange) -> Reply:
        with (
            exchanging(exchange) as session,
            session.request(
                outgoing.endpoint.verb,
                self.api_url + outgoing.endpoint.path,
                params=outgoing.query,
                data=outgoing.body,
                headers={"Content-Type": "application/json"} if outgoing.body is not None else None,
                auth=_Authorization(outgoing.authorization),
                stream=True,
                timeout=(min(self.connect_timeout, exchange.left()), exchange.left()),
                allow_redirects=False,
            ) as response,
        ):
            exchange.sent = True
            body = read_body(response, exchange.max_bytes)
            return envelope.read(response.status_code, response.headers, body)


def _repeatable(endpoint: Endpoint, exchange: Exchange, outcome: Reply | SadadError) -> bool:
    if isinstance(outcome, ReplyTooLarge):
        return False
    if isinstance(outcome, SadadError):
        return endpoint.verb == "GET" or not exchange.sent
    return endpoint.verb == "GET" and outcome.lost


def _broken(endpoint: Endpoint, exchange: Exchange, error: BaseException) -> SadadError:
    cause = _cause(error)
    if not exchange.sent:
        return Unavailable(endpoint.name, f"no connection ({type(cause).__name__})")
    if isinstance(cause, TooMuch) and endpoint.reads:
        return ReplyTooLarge(endpoint.name, "the reply is over its cap")
    late = time.monotonic() >= exchange.until
    return envelope.lost(endpoint, f"{'no answer in time' if late else 'broken'} ({type(cause).__name__})")


def _cause(error: BaseException) -> BaseException:
    """The innermost exception: requests wraps urllib3's, which wraps the socket's, each in its own way."""
    for _ in range(10):
        inside = [error.__cause__, getattr(error, "reason", None), *error.args, error.__context__]
        inner = next((item for item in inside if isinstance(item, BaseException)), None)
        if inner is None:
            break
        error = inner
    return error
