"""Two processes, every point: while one stands there, the other does all it can. No threads, no luck."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from django_sadadpay import PaymentError, checkout, refund, verify
from django_sadadpay.models import Invoice
from django_sadadpay.services import reconcile
from tests.fire.lab import Lab, laboratory
from tests.fire.machine import LABELS, MEANWHILE, NONE, Fire
from tests.shop.models import Order

pytestmark = [pytest.mark.fire, pytest.mark.django_db(transaction=True)]
Job = Callable[[], object]


def orders(fire: Fire) -> Job:
    fire.add_order(1)
    return lambda: checkout(Order.objects.get())


def loses_the_answer(fire: Fire) -> Job:
    fire.lab.control.faults.add("Invoice/insert", "cut_after", times=1)
    fire.lab.control.faults.add("Invoice/getall", "error_before", times=3)
    return orders(fire)


def changes_the_basket(fire: Fire) -> Job:
    again = orders(fire)
    again()
    fire._new_price(Order.objects.get(), 2)
    return again


def pays(fire: Fire) -> Job:
    orders(fire)()
    fire.lab.control.pay(_first().sadad_id)
    return lambda: fire.webhooks_arrive(NONE)


def hears_of_it_too_early(fire: Fire) -> Job:
    """A call that names the invoice comes before the payment, whose own call comes at the point."""
    orders(fire)()
    return lambda: fire._post({"invoiceId": int(_first().sadad_id or 0)})


def pays_the_older(fire: Fire) -> Job:
    again = orders(fire)
    again()
    order = Order.objects.get()
    fire.lab.control.faults.add("Invoice/delete", "refuse", times=1, error_key="InvoiceCannotBeDeleted")
    order.lines.update(name="Tea")
    again()
    fire.lab.control.pay(_first().sadad_id)
    return lambda: verify(_first())


def refunds(fire: Fire) -> Job:
    pays(fire)()
    return lambda: refund(_first(), "1.111", reason="fire", key="form")


def refunds_without_an_answer(fire: Fire) -> Job:
    job = refunds(fire)
    fire.lab.control.faults.add("Refund/insert", "cut_after", times=1)
    return job


def died_while_refunding(fire: Fire) -> Job:
    job = refunds(fire)
    fire.lab.control.faults.add("Refund/insert", "cut_after", times=1)
    with fire.lab.process():
        fire.lab.meets("refund.answered", fire.lab.die)
        job()
    fire.lab.advance(130)
    return reconcile.run


def missed_the_webhook(fire: Fire) -> Job:
    pays(fire)
    fire.lab.advance(3600)
    return reconcile.run


def forgot_it(fire: Fire) -> Job:
    orders(fire)()
    fire.lab.advance(5 * 86400)
    return reconcile.run


def _first() -> Invoice:
    return Invoice.objects.earliest("pk")


#: Labels begin with a stage's kind; each label is tried on each stage that comes by it.
STAGES: dict[Callable[[Fire], Job], tuple[str, ...]] = {
    orders: ("insert.reserved", "insert.answered", "insert.learned", "token", "settle"),
    loses_the_answer: ("insert.lost", "insert.unknown"),
    changes_the_basket: ("delete", "insert", "settle"),
    pays: ("settle", "inbox"),
    hears_of_it_too_early: ("settle", "inbox"),
    pays_the_older: ("settle", "delete"),
    refunds: ("refund", "settle"),
    refunds_without_an_answer: ("refund",),
    died_while_refunding: ("refund.abandoned", "settle"),
    missed_the_webhook: ("reconcile", "settle"),
    forgot_it: ("reconcile", "settle", "delete"),
}


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Lab]:
    with laboratory(monkeypatch, settings, Lab) as made:
        Fire.prepare(made)
        yield made


@pytest.mark.parametrize("what", MEANWHILE)
def test_whatever_another_process_does_at_any_point(lab: Lab, what: str) -> None:
    come_by: set[str] = set()
    for stage, kinds in STAGES.items():
        for label in (one for one in LABELS if one.startswith(kinds)):
            try:
                if _meets(stage, label, what):
                    come_by.add(label)
            except AssertionError as error:
                raise AssertionError(f"{stage.__name__}, at {label}: {what}: {error}") from error
    assert come_by == set(LABELS)


def _meets(stage: Callable[[Fire], Job], label: str, what: str) -> bool:
    """One run; whether the process came by the point."""
    fire = Fire()
    job = stage(fire)
    met: list[str] = []

    def other() -> None:
        met.append(label)
        fire._meanwhile(what)

    with fire.lab.process(), suppress(PaymentError):
        fire.lab.meets(label, other)
        job()
    fire.did("an interleaving")
    fire.books_are_right()
    fire.unchecked = False
    fire.teardown()
    return bool(met)
