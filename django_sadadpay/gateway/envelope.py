"""Sadad's envelope on every status (contract 1.3, 1.4), and what it means: a result or one of our errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django_sadadpay.gateway import jsontext
from django_sadadpay.gateway.coerce import fold
from django_sadadpay.gateway.errors import (
    AuthenticationError,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    SadadError,
    Unavailable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_sadadpay.gateway.endpoints import Endpoint

# Contract 1.4. They come with 401, or in a 200.
TOKEN_REFUSED = frozenset({"UnauthorizedAccess", "TokenExpired", "InvalidToken"})
# Contract 2.1, 11: another token would not help.
DENIED = frozenset({"AccessPermissionDenied", "UnderReview", "WrongUserType", "WrongClientKeyOrClientSecret"})


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer. ``readable`` is False where the body is no envelope; then only the status speaks."""

    status: int
    readable: bool = False
    is_valid: bool = False
    error_key: str = ""
    response: Any = field(default=None, repr=False)
    retry_after: float | None = None
    size: int = 0

    @property
    def failed(self) -> bool:
        """Contract 1.3: not ``isValid``, or an error key beside it."""
        return not self.is_valid or self.error_key != ""

    @property
    def lost(self) -> bool:
        """It does not say what became of the call: server error, redirect, no envelope, contradiction."""
        if self.status in (401, 403, 429):
            return False
        odd = self.status < 200 or 300 <= self.status < 400 or self.status >= 500
        return odd or not self.readable or (self.status >= 400 and not self.failed)

    @property
    def refuses_token(self) -> bool:
        """Sadad did not look at the call because of the token: nothing was done."""
        if self.lost or self.error_key in DENIED:
            return False
        return self.status == 401 or self.error_key in TOKEN_REFUSED


def read(status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    """Never raises: what is no envelope gives a reply that is not ``readable``."""
    wait = headers.get("Retry-After", "").strip()
    retry_after = float(wait) if wait.isascii() and wait.isdigit() and len(wait) < 7 else None
    try:
        found = {fold(name): value for name, value in jsontext.loads(body).items()}
    except (ValueError, AttributeError):
        return Reply(status, retry_after=retry_after, size=len(body))
    return Reply(
        status,
        readable="isvalid" in found or "errorkey" in found,
        is_valid=found.get("isvalid") is True,
        error_key=_error_key(found.get("errorkey")),
        response=found.get("response"),
        retry_after=retry_after,
        size=len(body),
    )


def _error_key(value: object) -> str:
    # Trimmed: the docs' own sample has a trailing blank (contract 1.3). Any other type is an error too.
    if value is None:
        return ""
    return value.strip()[:100] if isinstance(value, str) else "(not text)"


def lost(endpoint: Endpoint, detail: str, *, status: int | None = None) -> SadadError:
    """No usable answer to a call that left this machine."""
    kind = Unavailable if endpoint.reads else OutcomeUnknown
    return kind(endpoint.name, detail, status=status)


def result(endpoint: Endpoint, reply: Reply, *, fresh: bool) -> Any:
    """The ``response`` of a successful reply; ``[]`` for a list with no rows (contract 3.4).

    :param fresh: the token is too young to be refused, so ``UnauthorizedAccess`` is about the id.
    :raises SadadError: anything else.
    """
    if reply.status == 429:
        raise RateLimited(endpoint.name, reply.retry_after)
    if reply.lost:
        raise lost(endpoint, "no usable answer", status=reply.status)
    if reply.failed and reply.error_key == "EmptyResult" and endpoint.lists:
        return []
    if reply.failed:
        raise _failure(endpoint, reply, fresh)
    return reply.response


def _failure(endpoint: Endpoint, reply: Reply, fresh: bool) -> SadadError:
    name, status, key = endpoint.name, reply.status, reply.error_key
    # Contract 1.4: with 401 it is the token, however young; 3.2: in a 200 it may be about the id.
    foreign = key == "UnauthorizedAccess" and status == 200 and endpoint.takes_id and fresh
    if key in endpoint.missing or foreign:
        return NotFound(name, "no such object", status=status, error_key=key)
    if reply.refuses_token or key in DENIED or (status == 403 and not reply.readable):
        return AuthenticationError(name, "not let in", status=status, error_key=key)
    return Rejected(name, key, refusal=key in endpoint.refusals, status=status)
