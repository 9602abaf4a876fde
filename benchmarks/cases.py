"""The operations. Each ``prepare`` makes ready what one run of the operation uses up, and is not measured."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial

from django.test import RequestFactory

from benchmarks.stub import Sadad
from django_sadadpay import checkout, conf, refund
from django_sadadpay.models import Invoice, InvoiceEvent
from django_sadadpay.services import clock, reconcile, settlement, snapshots
from django_sadadpay.services.ledger import Origin
from django_sadadpay.views import WebhookView
from tests.shop.models import Order

Operation = Callable[[], object]
_ORIGIN = Origin(InvoiceEvent.Source.RECONCILE)
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Case:
    """``units``: how many invoices one run of the operation is about."""

    name: str
    prepare: Callable[[], Operation]
    units: int = 1


def cases(sadad: Sadad, *, reconciled: int) -> list[Case]:
    shop = _Shop(sadad)
    return [
        Case("checkout, new invoice", shop.checkout_new),
        Case("checkout, open invoice reused", shop.checkout_again),
        Case("webhook, new payment", shop.webhook_new),
        Case("webhook, duplicate", shop.webhook_duplicate),
        Case("refund", shop.refund),
        Case("settle, nothing changed", shop.settle_unchanged),
        Case(f"reconcile, {reconciled} open invoices", partial(shop.reconcile, reconciled), reconciled),
    ]


class _Shop:
    def __init__(self, sadad: Sadad) -> None:
        self.sadad = sadad
        self._paid: Invoice | None = None

    def order(self) -> Order:
        made = Order.objects.create(number=f"B-{next(_numbers)}", amount=Decimal("12.345"))
        made.lines.create(name="Coffee", price=Decimal("12.345"))
        return made

    def invoice(self) -> Invoice:
        """Open, and not due for background work meanwhile."""
        made: Invoice = checkout(self.order())
        Invoice.objects.filter(pk=made.pk).update(next_check_at=None)
        return made

    def checkout_new(self) -> Operation:
        return partial(checkout, self.order())

    def checkout_again(self) -> Operation:
        order = self.order()
        checkout(order)
        return partial(checkout, order)

    def webhook_new(self) -> Operation:
        invoice = self.invoice()
        self.sadad.pay(str(invoice.sadad_id))
        return partial(self._call, str(invoice.sadad_id))

    def webhook_duplicate(self) -> Operation:
        operation = self.webhook_new()
        operation()
        return operation

    def refund(self) -> Operation:
        """A first refund of an invoice: with each further one there is more to add up."""
        invoice = self.invoice()
        self.sadad.pay(str(invoice.sadad_id))
        self._call(str(invoice.sadad_id))
        return partial(refund, invoice, "0.001", reason="benchmark", key="k")

    def settle_unchanged(self) -> Operation:
        invoice = self.invoice()
        snapshot = snapshots.fetch(invoice, str(invoice.sadad_id))
        settlement.settle(invoice.pk, snapshot, _ORIGIN)
        again = snapshots.fetch(invoice, str(invoice.sadad_id))
        return partial(settlement.settle, invoice.pk, again, _ORIGIN)

    def reconcile(self, count: int) -> Operation:
        Invoice.objects.exclude(next_check_at=None).update(next_check_at=None)
        made = [self.invoice().pk for _ in range(count)]
        due = clock.now() - timedelta(minutes=1)
        Invoice.objects.filter(pk__in=made).update(next_check_at=due)

        def run() -> None:
            report = reconcile.run(max_calls=10 * count, max_seconds=600)
            if report.done.get("invoice") != count or report.failed:
                raise AssertionError(f"reconcile did {report.done}, failed {report.failed}")

        return run

    def _call(self, sadad_id: str) -> None:
        secret = conf.current().accounts["default"].webhook_secrets[0]
        body = json.dumps({"invoiceId": sadad_id, "status": "Paid"})
        request = RequestFactory().post("/webhook/", body, content_type="application/json")
        answer = WebhookView.as_view()(request, account="default", secret=secret)
        if answer.status_code != 200:
            raise AssertionError(f"the webhook answered {answer.status_code}")
