"""What can go wrong with a call to Sadad: one class per cause, and each says whether Sadad may have acted.

Messages name the endpoint, the status and the error key; never a body, a query, a token or a person.
"""

from __future__ import annotations

import re
from typing import ClassVar

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,79}")


class SadadError(Exception):
    """A call that gave no result.

    :ivar endpoint: the row of the endpoint table, for example ``Invoice/insert``.
    :ivar status: the HTTP status, or None when no reply came.
    :ivar error_key: Sadad's own word, trimmed (contract 11), or ``""``.
    """

    may_have_acted: ClassVar[bool] = False

    def __init__(
        self, endpoint: str, detail: str = "", *, status: int | None = None, error_key: str = ""
    ) -> None:
        self.endpoint = endpoint
        self.detail = detail
        self.status = status
        self.error_key = error_key
        super().__init__(endpoint, detail)

    def __str__(self) -> str:
        parts = [self.detail, self.error_key and f"errorKey {shown(self.error_key)}"]
        parts.append(f"HTTP {self.status}" if self.status is not None else "")
        return f"{self.endpoint}: {', '.join(part for part in parts if part) or 'failed'}"


class InvalidRequest(SadadError, ValueError):
    """Refused here, before anything was sent.

    :ivar field: the field at fault, by its name on the wire (``items[0].amount``).
    """

    def __init__(self, endpoint: str, field: str, detail: str = "is missing") -> None:
        super().__init__(endpoint, f"{field} {detail}")
        self.field = field


class AuthenticationError(SadadError):
    """Sadad does not accept our keys or token, or this account may not do this. Nothing was done."""


class NotFound(SadadError):
    """Sadad knows no such object for this account. Nothing was done."""


class Rejected(SadadError):
    """Sadad answered with an error key.

    :ivar refusal: the endpoint table lists the key as a refusal: surely nothing was done.
        Any other key (the documented placeholder ``"Error "`` too) proves nothing (contract 6.1).
    """

    def __init__(
        self, endpoint: str, error_key: str, *, refusal: bool = False, status: int | None = None
    ) -> None:
        super().__init__(endpoint, "rejected", status=status, error_key=error_key)
        self.refusal = refusal


class RateLimited(SadadError):
    """HTTP 429: turned away before it was looked at. Nothing was done.

    :ivar retry_after: seconds that Sadad asks us to wait, or None.
    """

    def __init__(self, endpoint: str, retry_after: float | None = None, *, status: int | None = 429) -> None:
        super().__init__(endpoint, "too many calls", status=status)
        self.retry_after = retry_after


class Unavailable(SadadError):
    """No usable answer, and surely nothing was done: a read, or a write that never left this machine."""


class ReplyTooLarge(Unavailable):
    """The answer to a read is over the cap on bytes: asking again would not help."""


class OutcomeUnknown(SadadError):
    """A write left this machine and no usable answer came: it may be done. Look; never just send again."""

    may_have_acted: ClassVar[bool] = True


def shown(error_key: str) -> str:
    """An error key fit for a message: the set is open (contract 11): only a plain word is repeated."""
    return error_key if _WORD.fullmatch(error_key) else "(unusual)"
