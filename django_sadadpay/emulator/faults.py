"""Faults on demand: what goes wrong, at which endpoint, how often.

A fault fires on every matching call until it is cleared, or ``times`` times, or with a ``probability``
(repeatable by the seed), after the first ``skip`` matching calls. A call meets at most one fault that ends
it, the one added first, so that faults added one after the other happen one after the other; faults that
only change the reply all apply.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

#: The name under which webhook messages meet faults.
WEBHOOK = "webhook"
EVERYWHERE = "*"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault. ``before``: met by calls without a token too. ``ends``: there is no proper reply.

    ``endpoints`` are the only ones at which it makes sense (``*/getall``: each one so called); None means
    every API endpoint.
    """

    before: bool = False
    ends: bool = False
    endpoints: tuple[str, ...] | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def fits(self, endpoint: str) -> bool:
        """Whether it makes sense at an endpoint."""
        if self.endpoints is None:
            return endpoint != WEBHOOK
        return any(fnmatchcase(endpoint.lower(), name.lower()) for name in self.endpoints)


KINDS = {
    # Seconds to wait before the work.
    "latency": Kind(before=True, options={"seconds": 1.0}),
    # HTTP 5xx without having done the work.
    "error_before": Kind(before=True, ends=True, options={"status": 500}),
    # The connection is cut before the work.
    "cut_before": Kind(before=True, ends=True),
    "unauthorized_401": Kind(before=True, ends=True, options={"error_key": "UnauthorizedAccess"}),
    "unauthorized_200": Kind(before=True, ends=True, options={"error_key": "UnauthorizedAccess"}),
    # HTTP 429; retry_after None leaves the header out.
    "rate_limited": Kind(before=True, ends=True, options={"retry_after": 1}),
    # Any error key in an envelope, without having done the work.
    "refuse": Kind(ends=True, options={"error_key": "Error ", "is_valid": False, "status": 200}),
    # HTTP 5xx after the work was done.
    "error_after": Kind(ends=True, options={"status": 500}),
    # The connection is cut after the work was done.
    "cut_after": Kind(ends=True),
    # HTTP 200 with a body that is no envelope, after the work: "html", "broken", "empty" or "list".
    "unreadable": Kind(ends=True, options={"body": "html"}),
    # The reply is about another invoice.
    "wrong_id": Kind(endpoints=("Invoice/getbyid", "Invoice/insert")),
    # The reply is the invoice as it was ``steps`` changes ago.
    "older": Kind(endpoints=("Invoice/getbyid",), options={"steps": 1}),
    # The reply comes in small pieces over so many seconds.
    "slow_drip": Kind(options={"seconds": 5.0}),
    # getall gives every row, whatever was asked.
    "ignore_filter": Kind(endpoints=("*/getall",)),
    # getall gives the whole list, whatever page was asked.
    "ignore_paging": Kind(endpoints=("*/getall",)),
    # One field of the reply is set, removed or written as another type ("text" or "number").
    # The path is under "response", with dots; * stands for each row or field.
    "reply_field": Kind(options={"path": "", "value": None, "remove": False, "retype": None}),
    # The message is sent so many times more.
    "duplicate": Kind(endpoints=(WEBHOOK,), options={"copies": 1}),
    # The message is sent so many seconds later.
    "delay": Kind(endpoints=(WEBHOOK,), options={"seconds": 60.0}),
    # The next message overtakes this one; it goes by itself after so many seconds.
    "reorder": Kind(endpoints=(WEBHOOK,), options={"seconds": 60.0}),
    # The message is never sent.
    "drop": Kind(endpoints=(WEBHOOK,)),
}


@dataclass(slots=True)
class Fault:
    """One fault that was asked for; ``times`` and ``skip`` count down."""

    endpoint: str
    kind: str
    times: int | None = None
    probability: float | None = None
    skip: int = 0
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def meaning(self) -> Kind:
        return KINDS[self.kind]

    def matches(self, endpoint: str, *, authenticated: bool) -> bool:
        if self.endpoint == EVERYWHERE:
            here = endpoint != WEBHOOK and self.meaning.fits(endpoint)
        else:
            here = self.endpoint.lower() == endpoint.lower()
        return here and (authenticated or self.meaning.before)

    def fires(self, source: random.Random) -> bool:
        """Whether it fires on this matching call; counts down."""
        if self.skip:
            self.skip -= 1
            return False
        if self.probability is not None and source.random() >= self.probability:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Faults:
    """The faults that are set now."""

    def __init__(self, seed: int, endpoints: Collection[str]) -> None:
        self._endpoints = {name.lower() for name in (*endpoints, WEBHOOK, EVERYWHERE)}
        self._lock = threading.Lock()
        self._random = random.Random(f"{seed}:faults")  # noqa: S311 (repeatable on purpose)
        self._faults: list[Fault] = []

    def add(
        self,
        endpoint: str,
        kind: str,
        *,
        times: int | None = None,
        probability: float | None = None,
        skip: int = 0,
        **options: Any,
    ) -> Fault:
        """Set a fault at an endpoint ("Invoice/insert"), at all of them ("*"), or at "webhook".

        Raises ValueError for an endpoint, kind or option that does not exist, or that make no sense together.
        """
        if endpoint.lower() not in self._endpoints:
            raise ValueError(f"no endpoint {endpoint!r}")
        _check(endpoint, kind, times, probability, options)
        fault = Fault(endpoint, kind, times, probability, skip, {**KINDS[kind].options, **options})
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """No more faults."""
        with self._lock:
            self._faults.clear()

    def list(self) -> list[Fault]:
        """The faults that may still fire."""
        with self._lock:
            return list(self._faults)

    def take(self, endpoint: str, *, authenticated: bool = True) -> tuple[Fault, ...]:
        """The faults that this call meets; used-up ones are forgotten."""
        taken: list[Fault] = []
        with self._lock:
            for fault in self._faults:
                ended = any(other.meaning.ends for other in taken)
                if fault.matches(endpoint, authenticated=authenticated) and not (
                    ended and fault.meaning.ends
                ):
                    taken += [fault] if fault.fires(self._random) else []
            self._faults = [fault for fault in self._faults if fault.times != 0]
        return tuple(taken)


def _check(
    endpoint: str, kind: str, times: int | None, probability: float | None, options: dict[str, Any]
) -> None:
    if kind not in KINDS:
        raise ValueError(f"no fault {kind!r}; there are: {', '.join(KINDS)}")
    allowed = KINDS[kind]
    unknown = sorted(set(options) - set(allowed.options))
    if unknown:
        raise ValueError(f"{kind} has no option {', '.join(unknown)}")
    everywhere = endpoint == EVERYWHERE and not allowed.fits(WEBHOOK)
    if not everywhere and not allowed.fits(endpoint):
        raise ValueError(f"{kind} makes no sense at {endpoint}")
    if times is not None and times < 1:
        raise ValueError("times is at least 1")
    if probability is not None and not 0 <= probability <= 1:
        raise ValueError("probability is between 0 and 1")
    if kind == "reply_field":
        _check_reply_field(options)


def _check_reply_field(options: dict[str, Any]) -> None:
    if not options.get("path"):
        raise ValueError("reply_field needs a path")
    if len({"value", "remove", "retype"} & set(options)) != 1:
        raise ValueError("reply_field needs exactly one of value, remove and retype")
    if options.get("retype", "text") not in ("text", "number"):
        raise ValueError("retype is text or number")
