from __future__ import annotations

from decimal import Decimal

import pytest

from django_sadadpay.models import Invoice, Refund
from django_sadadpay.services import opening, refunds
from django_sadadpay.testing.factories import InvoiceFactory, RefundFactory
from tests.shop.models import Order

pytestmark = pytest.mark.django_db
State = Invoice.State


def test_an_invoice_is_open_and_payable() -> None:
    invoice = InvoiceFactory()
    assert (invoice.state, invoice.status_text) == (State.OPEN, "Unpaid")
    assert invoice.open_slot == invoice.slot
    assert invoice.amount == invoice.shop_amount == Decimal("10.000")
    assert invoice.sadad_id in invoice.pay_url


@pytest.mark.parametrize(
    ("trait", "state", "holds_open", "at_sadad"),
    [
        ("new", State.NEW, True, False),
        ("superseding", State.SUPERSEDING, True, True),
        ("paid", State.PAID, False, True),
        ("unapplied", State.PAID, False, True),
        ("cancelled", State.CANCELLED, False, True),
        ("expired", State.EXPIRED, False, True),
        ("refused", State.REFUSED, False, False),
        ("unknown", State.UNKNOWN, False, False),
        ("lost", State.LOST, False, False),
    ],
)
def test_every_state_is_a_row_that_the_database_takes(
    trait: str, state: str, holds_open: bool, at_sadad: bool
) -> None:
    rows = [InvoiceFactory(**{trait: True}) for _ in range(3)]
    for row in rows:
        row.refresh_from_db()
        row.validate_constraints()
        assert row.state == state
        assert (row.open_slot is not None) == holds_open == (row.state in Invoice.PAYABLE)
        assert (row.sadad_id is not None) == bool(row.pay_url) == at_sadad
        assert bool(row.paid_amount) == row.is_paid
    assert {row.state for row in rows} <= set(State)


def test_every_state_of_the_model_has_a_trait() -> None:
    traits = {"new", "superseding", "paid", "cancelled", "expired", "refused", "unknown", "lost"}
    assert traits | {"open"} == {str(state) for state in State}


def test_a_paid_invoice_counts_for_its_object_and_an_unapplied_one_does_not() -> None:
    paid, unapplied = InvoiceFactory(paid=True, amount="3.500"), InvoiceFactory(unapplied=True)
    paid.refresh_from_db()
    assert (paid.paid_amount, paid.is_applied) == (Decimal("3.500"), True)
    assert paid.handled_at is not None
    assert (unapplied.is_paid, unapplied.is_applied, unapplied.handled_at) == (True, False, None)


def test_an_invoice_belongs_to_the_object_that_it_is_made_for() -> None:
    order = Order.objects.create(number="A-1", amount="1.000")
    invoice = InvoiceFactory(payable="order", object_id=str(order.pk))
    assert invoice.object == order
    assert list(Invoice.objects.for_object(order)) == [invoice]


def test_references_are_of_our_form_and_never_alike() -> None:
    references = [invoice.reference for invoice in InvoiceFactory.build_batch(200)]
    assert len(set(references)) == 200
    assert all(opening.is_our_form(reference) for reference in references)


@pytest.mark.parametrize(
    ("trait", "state", "left"),
    [
        (None, "done", "9.000"),
        ("requested", "requested", "9.000"),
        ("sending", "sending", "9.000"),
        ("unknown", "unknown", "9.000"),
        ("refused", "refused", "10.000"),
        ("did_not_happen", "did_not_happen", "10.000"),
        ("panel", "done", "9.000"),
    ],
)
def test_every_state_of_a_refund_is_a_row_that_the_database_takes(
    trait: str | None, state: str, left: str
) -> None:
    row = RefundFactory(**({trait: True} if trait else {}))
    row.refresh_from_db()
    row.validate_constraints()
    assert row.state == state
    assert refunds.left(row.invoice) == Decimal(left)
    assert (row.in_flight_slot is not None) == (row.state in Refund.IN_FLIGHT)
    assert (row.finished_at is None) == (state in ("requested", "sending", "unknown"))
    assert (row.handled_at is not None) == (state == "done")


def test_a_refund_that_was_done_is_seen_by_sadad() -> None:
    assert RefundFactory(amount=Decimal("2.500")).invoice.refunded_amount == Decimal("2.500")
    assert RefundFactory(unknown=True).invoice.refunded_amount == 0
    assert RefundFactory(panel=True).source == Refund.Source.PANEL
    live = RefundFactory(invoice__environment="live", invoice__account="second")
    assert (live.account, live.environment) == ("second", "live")
