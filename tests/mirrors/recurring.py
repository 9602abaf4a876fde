"""What the tests of subscriptions, plans and links share: a clock that begins at noon, and receivers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.dispatch import Signal

from django_sadadpay import Customer, PlanDraft, TemplateDraft
from django_sadadpay.models import InstallmentPlan, Invoice, Subscription, SubscriptionTemplate
from django_sadadpay.services import clock, mirroring, push, reconcile, schedule, subscriptions
from django_sadadpay.testing.gateway import Sadad
from tests.mirrors.conftest import fresh

DAY = 86400
NOOR = Customer("Noor Al-Sabah", mobile="+96550000001", email="noor@example.com")


class World:
    """Sadad and our app, on one clock that begins at noon in Kuwait."""

    def __init__(self, sadad: Sadad, shift: Callable[[float], None]) -> None:
        self.sadad, self._shift = sadad, shift
        now = clock.now()
        noon = schedule.end_of(schedule.kuwait_day(now)) + timedelta(hours=12)
        self.later((noon - now).total_seconds())

    def later(self, seconds: float) -> None:
        self._shift(seconds)
        self.sadad.control.advance(seconds)

    def days(self, number: float) -> None:
        self.later(number * DAY)

    def run(self) -> reconcile.Report:
        return reconcile.run()

    def subscription(self, *, period: str = "Weekly", **more: Any) -> Subscription:
        """5 KWD a week from today on, at Sadad."""
        template = mirroring.create(
            TemplateDraft(name_en="Magazine", amount="5.000", bill_period=period, **more)
        )
        assert isinstance(template, SubscriptionTemplate)
        row = subscriptions.create(template, NOOR, reference="S-1")
        push.run()
        found: Subscription = self.read(row)
        return found

    def plan(self, **more: Any) -> InstallmentPlan:
        """9 KWD in three parts, one a month from today on, at Sadad."""
        values: dict[str, Any] = {"amount": "9.000", "installment_count": 3, "pay_per": "Monthly"}
        start = schedule.kuwait_day(clock.now())
        draft = PlanDraft(customer=NOOR, reference="P-1", start_date=start, **{**values, **more})
        row = mirroring.create(draft)
        push.run()
        found: InstallmentPlan = self.read(row)
        return found

    @contextmanager
    def says(self, endpoint: str, path: str, value: Any) -> Iterator[None]:
        """Sadad's replies of ``endpoint`` hold ``value`` at ``path``."""
        self.sadad.control.faults.add(endpoint, "reply_field", path=path, value=value)
        yield
        self.sadad.control.faults.clear()

    @staticmethod
    def read(row: Any) -> Any:
        return fresh(row)

    @staticmethod
    def invoice(row: Subscription, number: int = 1) -> Invoice:
        """Ours of a period."""
        invoice = row.periods.get(number=number).invoice
        assert invoice is not None
        return invoice

    def bills(self) -> list[str]:
        """Sadad's ids of the invoices that it has made, oldest first."""
        return [str(row["id"]) for row in self.sadad.control.invoices()]


class Heard:
    """What a receiver was told, kept as a shop keeps it: in the database, with the transaction."""

    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []
        self.raises = 0


@contextmanager
def hearing(signal: Signal, what: Callable[..., tuple[Any, ...]], raises: int = 0) -> Iterator[Heard]:
    """Listen to ``signal``; ``what`` picks what is kept. The first ``raises`` calls fail."""
    heard = Heard()
    heard.raises = raises

    def receiver(sender: Any, **said: Any) -> None:
        if heard.raises:
            heard.raises -= 1
            raise RuntimeError("the shop's own fault")
        del said["signal"]
        heard.said.append(what(**said))

    signal.connect(receiver)
    try:
        yield heard
    finally:
        signal.disconnect(receiver)


def kwd(text: str) -> Decimal:
    return Decimal(text)
