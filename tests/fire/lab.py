"""A shop, its database and Sadad under one virtual clock, with a process that can be killed anywhere.

Nothing here depends on the time of day, on the network or on luck: the same steps give the same end.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from django.db import connections
from django.db.models import Model, Value
from django.test import RequestFactory
from django.urls import reverse

from django_sadadpay import conf, tasks, views
from django_sadadpay.emulator import Emulator
from django_sadadpay.gateway import tokens, transport, wire
from django_sadadpay.models import (
    Attention,
    CurrencyRate,
    GatewayToken,
    Invoice,
    InvoiceEvent,
    InvoiceLine,
    Mark,
    PaymentAttempt,
    Refund,
    WebhookEvent,
)
from django_sadadpay.registry import InvoiceDraft
from django_sadadpay.services import checkout as checkout_service
from django_sadadpay.services import clock, patience, transactions
from django_sadadpay.services.points import armed
from tests.fire.line import HOST, Line, session
from tests.shop.models import Order, OrderLine
from tests.shop.sadadpay import OrderPayable

if TYPE_CHECKING:
    import pytest

#: Children before their parents.
TABLES = (
    Attention,
    Refund,
    WebhookEvent,
    PaymentAttempt,
    InvoiceLine,
    InvoiceEvent,
    Invoice,
    GatewayToken,
    CurrencyRate,
    Mark,
    OrderLine,
    Order,
)
#: Noon in Kuwait.
_START = datetime(2026, 3, 3, 9, tzinfo=UTC)
_TICK = timedelta(milliseconds=1)
#: What a warning of ours may name: the gateway's errors and the public ones; and the test shop's own fault.
_EXPECTED = re.compile(
    r"(Unavailable|OutcomeUnknown|Rejected|RateLimited|AuthenticationError|NotFound|ReplyTooLarge"
    r"|Refused|TryAgain|OutcomePending|AlreadyPaid|NeedsAttention|raised RuntimeError)$"
    r"|waits for reconcile: ConnectionError"
)


class Surprises(logging.Handler):
    """Errors that a view or a run has survived though nobody had thought of them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if not _EXPECTED.search(text):
            self.found.append(text)


class Killed(BaseException):
    """SIGKILL, in one process: no ``except Exception`` sees it, and no cleaning up reaches the database."""


class Lab:
    """The world of one run. ``emulator.world`` is the truth about what Sadad did."""

    #: Emptied before each run, children before their parents.
    tables: ClassVar[tuple[type[Model], ...]] = TABLES

    def __init__(self, settings: Any) -> None:
        self._settings = settings
        self.emulator = Emulator(deliver="manual", webhook_url=f"{HOST}/webhook/")
        self.world = self.emulator.world
        self.world.base_url = HOST
        vars(self.world)["now"] = self._sadad_now
        self.line = Line(self.emulator, self._step)
        self.purposes: dict[int, str] = {}
        self.surprises = Surprises()
        self.reset()

    @property
    def control(self) -> Any:
        return self.emulator.control

    def reset(self) -> None:
        """Empty tables, a new Sadad, the clock at its start."""
        self.time, self.steps_left, self.is_dead = _START, -1, False
        self.skew = 0.0
        armed.clear()
        self.purposes.clear()
        self.surprises.found.clear()
        self.control.reset()
        self.control.settings(
            refund_delay=0.0, refund_id="true", list_deleted=True, refund_transactions=False
        )
        alias = transactions.alias()
        for model in self.tables:
            model._base_manager.using(alias)._raw_delete(alias)

    # Time

    def now(self) -> datetime:
        """Each look at the clock takes a millisecond: what was asked for later has a later time."""
        if self.is_dead:
            raise Killed
        self.time += _TICK
        return self.time

    def _sadad_now(self) -> float:
        return self.time.timestamp() + self.skew

    def advance(self, seconds: float) -> None:
        """Move both sides' clocks."""
        self.time += timedelta(seconds=seconds)

    # The process

    @contextmanager
    def process(self, kill_after: int | None = None) -> Iterator[None]:
        """Work of one process, killed before its ``kill_after``-th statement or gateway call, if given."""
        self.steps_left, self.is_dead = -1 if kill_after is None else kill_after, False
        connection = connections[transactions.alias()]
        try:
            with connection.execute_wrapper(self._statement):
                yield
        except Killed:
            pass
        finally:
            self.steps_left, self.is_dead = -1, False
            armed.clear()

    def meets(self, label: str, other: Callable[[], object]) -> None:
        """When the process comes by this point, another one does something, once."""

        def once() -> None:
            armed.clear()
            other()

        armed[label] = once

    def die(self) -> None:
        """The process is killed where it stands."""
        self.steps_left = 0
        self._step()

    def works_by(self, runner: str) -> None:
        """Webhooks are handled before they are answered ("inline"), or later ("celery", whose broker is
        down).
        """
        self.configures(TASK_RUNNER=runner)

    def configures(self, **values: Any) -> None:
        """Change settings of the app's."""
        self._settings.SADADPAY = {**self._settings.SADADPAY, **values}

    def _statement(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        # Django goes on rolling back to its savepoints while the exception passes: that changes nothing.
        if not sql.startswith(("SAVEPOINT", "ROLLBACK TO", "RELEASE")):
            self._step()
        return execute(sql, params, many, context)

    def _step(self) -> None:
        if self.steps_left == 0:
            self.is_dead = True
        if self.is_dead:
            raise Killed
        self.steps_left -= 1

    # What meets the shop's views

    def webhook(self, body: Any, secret: str = "") -> int:
        """One call of the webhook; the status."""
        known = conf.current().accounts["default"].webhook_secrets[0]
        request = _REQUESTS.post("/", data=body, content_type="application/json")
        view = cast("Callable[..., Any]", views.WebhookView.as_view())
        return int(view(request, account="default", secret=secret or known).status_code)

    def comes_back(self, reference: str) -> int:
        """The buyer's browser returns; what its query says is a lie. The status."""
        path = reverse("sadadpay:return", args=[reference])
        request = _REQUESTS.get(path, {"invoice_id": "1", "payment": "success"})
        view = cast("Callable[..., Any]", views.ReturnView.as_view())
        return int(view(request, reference=reference).status_code)


_REQUESTS = RequestFactory()


L = TypeVar("L", bound=Lab)


class _Time:
    """The ``time`` module of a service: pauses take no time."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def monotonic(self) -> float:
        return self._lab.time.timestamp()

    def sleep(self, seconds: float) -> None:
        self._lab.advance(seconds)


@contextmanager
def laboratory(patch: pytest.MonkeyPatch, settings: Any, make: type[L]) -> Iterator[L]:
    """A lab with the app's settings, clock, network and pauses pointing at it."""
    lab = make(settings)
    account = {
        **settings.SADADPAY["ACCOUNTS"]["default"],
        "CLIENT_KEY": lab.emulator.client_key,
        "CLIENT_SECRET": lab.emulator.client_secret,
        "API_URL": f"{HOST}/api",
        "PAY_URL": f"{HOST}/pay",
    }
    settings.SADADPAY = {**settings.SADADPAY, "ACCOUNTS": {"default": account}}
    virtual = _Time(lab)
    patch.setattr(clock, "now", lab.now)
    patch.setattr(clock, "sql_now", lambda: Value(lab.now()))
    patch.setattr(transport, "time", virtual)
    patch.setattr(transactions, "time", virtual)
    patch.setattr(patience, "sleep", virtual.sleep)
    patch.setattr(checkout_service, "_PATIENCE", -1.0)  # who finds another at it does not wait
    defaults = {"sleep": virtual.sleep, "monotonic": virtual.monotonic}
    patch.setattr(tokens.TokenSource.__init__, "__kwdefaults__", defaults)
    patch.setattr(wire, "_new_session", lambda: session(lab.line))
    patch.setattr(wire, "time", virtual)
    patch.setattr(tasks, "send_event", _no_broker)
    wire.SESSIONS.close()
    _with_purposes(patch, lab)
    logger = logging.getLogger("django_sadadpay")
    patch.setattr(logger, "handlers", [lab.surprises])
    patch.setattr(logger, "propagate", False)
    try:
        yield lab
    finally:
        wire.SESSIONS.close()


def _no_broker(_pk: int) -> None:
    raise ConnectionError("no broker")


def _with_purposes(patch: pytest.MonkeyPatch, lab: Lab) -> None:
    """The test shop's orders can be paid in parts: each purpose is an invoice of its own."""
    plain = OrderPayable.draft

    def draft(self: OrderPayable, obj: Order) -> InvoiceDraft:
        return replace(plain(self, obj), purpose=lab.purposes.get(obj.pk, ""))

    patch.setattr(OrderPayable, "draft", draft)


def seconds() -> float:
    """Real seconds, for what is shown."""
    return time.perf_counter()
