"""Access tokens: kept in a store that is handed in, renewed by one process at a time (money-flow 8)."""

from __future__ import annotations

import random
import secrets
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

from django_sadadpay.gateway.errors import AuthenticationError, Rejected, Unavailable
from django_sadadpay.gateway.hidden import Hidden

if TYPE_CHECKING:
    from collections.abc import Callable

LEASE_SECONDS = 45
# A renewal is up to three calls; all of them must end while its lease still holds.
RENEWAL_SECONDS = 40.0
# A token is renewed this long before its end, so that it does not run out on the way.
EARLY_SECONDS = 60
# Those who cannot have the lease go on with a token that still has this long.
LAST_SECONDS = 10
# A token younger than this is not renewed because of a refusal: the refusal is about something else.
FRESH_SECONDS = 60
_ENDPOINT = "User/GenerateAccessToken"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tokens:
    """A pair of tokens. Both times are UTC by the store's clock."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    access_expires_at: datetime
    fetched_at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "access", Hidden(self.access))
        object.__setattr__(self, "refresh", Hidden(self.refresh))


class TokenStore(Protocol):
    """Where an account's tokens live, shared by all processes. Calls must not leave a transaction open."""

    def load(self) -> Tokens | None:
        """The stored tokens; None when there are none or they cannot be decrypted."""

    def now(self) -> datetime:
        """The store's clock (database time), UTC."""

    def acquire(self, seconds: int) -> str | None:
        """The lease to renew, as its holder's id; None while someone else holds it."""

    def save(self, holder: str, tokens: Tokens) -> bool:
        """Store the result and end the lease; False (and nothing is stored) for who no longer holds it."""

    def release(self, holder: str) -> None:
        """End the lease without a result; nothing happens for who no longer holds it."""


class MemoryTokenStore:
    """A store for one process, for use without Django."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: Tokens | None = None
        self._holder = ""
        self._until = datetime.min.replace(tzinfo=UTC)

    def load(self) -> Tokens | None:
        return self._tokens

    def now(self) -> datetime:
        return datetime.now(UTC)

    def acquire(self, seconds: int) -> str | None:
        with self._lock:
            if self._holder and self.now() < self._until:
                return None
            self._holder = secrets.token_hex(8)
            self._until = self.now() + timedelta(seconds=seconds)
            return self._holder

    def save(self, holder: str, tokens: Tokens) -> bool:
        with self._lock:
            if holder != self._holder:
                return False
            self._tokens, self._holder = tokens, ""
            return True

    def release(self, holder: str) -> None:
        with self._lock:
            if holder == self._holder:
                self._holder = ""


class TokenSource:
    """Gives a usable access token.

    No lock is held during a network call: the lease is a row of the store, and it lapses by itself.

    :param fetch_refresh: keys → refresh token; takes the seconds that it may use.
    :param fetch_access: refresh token → access token and its life in seconds; takes seconds too.
    """

    def __init__(
        self,
        store: TokenStore,
        fetch_refresh: Callable[[float], str],
        fetch_access: Callable[[str, float], tuple[str, int]],
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self._fetch_refresh = fetch_refresh
        self._fetch_access = fetch_access
        self._sleep = sleep
        self._monotonic = monotonic

    def access(self, min_seconds: int = EARLY_SECONDS, *, seconds: float = 20.0) -> str:
        """A token with at least ``min_seconds`` left, or one fetched for this call.

        ``seconds`` bounds the wait. Who asks for more than the usual margin waits for it.

        :raises AuthenticationError: Sadad does not accept our keys.
        :raises RateLimited, Unavailable: no token could be had; nothing was done.
        """
        enough = min_seconds if min_seconds > EARLY_SECONDS else LAST_SECONDS
        return self._obtain(lambda held: self._lasts(held, min_seconds), enough, seconds)

    def renew(self, stale: str, *, seconds: float = 20.0) -> str:
        """Another token than ``stale``, which Sadad refused; the stored one if it is another already.

        :raises: as ``access``.
        """

        def good(held: Tokens) -> bool:
            return held.access != stale and self._lasts(held, LAST_SECONDS)

        return self._obtain(good, None, seconds)

    def is_fresh(self, access: str) -> bool:
        """Whether this is the stored token and younger than 60 s: its refusal is not about its age."""
        held = self.store.load()
        age = timedelta(seconds=FRESH_SECONDS)
        return held is not None and held.access == access and self.store.now() - held.fetched_at <= age

    def _obtain(self, good: Callable[[Tokens], bool], enough: int | None, seconds: float) -> str:
        """A token that is ``good``; while another renews, one with ``enough`` seconds left will do."""
        until = self._monotonic() + seconds
        pause = 0.05
        while True:
            held = self.store.load()
            if held is not None and good(held):
                return held.access
            holder = self.store.acquire(LEASE_SECONDS)
            if holder is not None:
                return self._lead(holder, good, until)
            if held is not None and enough is not None and self._lasts(held, enough):
                return held.access
            self._wait(pause, until)
            pause = min(pause * 2, 1.0)

    def _lasts(self, held: Tokens, seconds: int) -> bool:
        return held.access_expires_at - self.store.now() >= timedelta(seconds=seconds)

    def _wait(self, pause: float, until: float) -> None:
        left = until - self._monotonic()
        if left <= 0:
            raise Unavailable(_ENDPOINT, "another process is fetching a token and has not finished")
        self._sleep(min(left, pause * random.uniform(0.5, 1.0)))  # noqa: S311 - jitter, not a secret

    def _lead(self, holder: str, good: Callable[[Tokens], bool], until: float) -> str:
        until = min(until, self._monotonic() + RENEWAL_SECONDS)
        try:
            held = self.store.load()
            if held is not None and good(held):  # renewed between our look and our lease
                self.store.release(holder)
                return held.access
            tokens = self._fetch(held, until)
        except BaseException:
            self.store.release(holder)
            raise
        # Where the lease was lost meanwhile, nothing is stored; the token itself is good for this call.
        self.store.save(holder, tokens)
        return tokens.access

    def _fetch(self, held: Tokens | None, until: float) -> Tokens:
        """A refresh token lives for weeks (contract 2.1): a new one if there is none or it is refused."""
        if held is not None and held.refresh:
            try:
                return self._exchange(held.refresh, until)
            except AuthenticationError:
                pass
        return self._exchange(self._asked(self._fetch_refresh, until), until)

    def _exchange(self, refresh: str, until: float) -> Tokens:
        # Its life is counted from before the call: never later than Sadad counts it.
        began = self.store.now()
        access, life = self._asked(lambda seconds: self._fetch_access(refresh, seconds), until)
        return Tokens(access, refresh, began + timedelta(seconds=life), began)

    def _asked(self, fetch: Callable[[float], T], until: float) -> T:
        left = until - self._monotonic()
        if left <= 0:
            raise Unavailable(_ENDPOINT, "no time left to fetch a token")
        try:
            return fetch(left)
        except Rejected as error:
            # The caller's own call was not sent: this must not look like Sadad's answer to it.
            raise AuthenticationError(
                error.endpoint, "no token", status=error.status, error_key=error.error_key
            ) from None
