"""Payments through links: taken over when the webhook comes, linked where Sadad says which link it was."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from django_sadadpay import PaymentLinkDraft, Refused, checkout, mirror, refund, signals
from django_sadadpay.models import Invoice, PaymentLink, ProductLink, WebhookEvent
from django_sadadpay.services import adopting, gateway, mirroring, paid_links, push, snapshots
from django_sadadpay.services.adoption import CannotAdopt, Expected, adopt
from django_sadadpay.services.bills import ORIGIN
from django_sadadpay.testing.gateway import Sadad
from tests.mirrors.conftest import fresh, product, waiting
from tests.mirrors.recurring import World, hearing
from tests.services.conftest import make_order
from tests.shop.models import Category, Choice

pytestmark = pytest.mark.django_db(transaction=True)
READ = "Invoice/getbyid"
PAYER = {"customer_name": "Sara", "customer_mobile": "+96550000002"}


@pytest.fixture
def world(sadad: Sadad, sadad_clock: Callable[[float], None], transactional_db: None) -> World:
    return World(sadad, sadad_clock)


@pytest.fixture
def link(world: World) -> PaymentLink:
    row = mirroring.create(PaymentLinkDraft(title="Coffee club", amount="7.500"))
    push.run()
    found: PaymentLink = fresh(row)
    return found


def paid_through(world: World, link: PaymentLink) -> str:
    """Somebody pays on the link's page; the webhook waits."""
    values = {"payment_link_key": link.sadad_key, "amount": "7.500", **PAYER}
    bill = gateway.client_of(link).invoices.create_payment_link_invoice(values)
    world.sadad.control.pay(bill)
    return bill


def test_payment_is_linked_where_sadad_names_the_links_key(world: World, link: PaymentLink) -> None:
    bill = paid_through(world, link)
    with (
        hearing(signals.invoice_paid, lambda **s: (s["invoice"].sadad_id,)) as heard,
        world.says(READ, "paymentLink_Key", int(link.sadad_key)),
    ):
        assert world.sadad.deliver(times=2) == [200, 200]

    invoice = paid_links.invoices_of(link).get()
    assert (invoice.sadad_id, invoice.is_paid, invoice.amount) == (bill, True, Decimal("7.500"))
    assert (invoice.kind, invoice.object, heard.said) == ("PaymentLink", None, [(bill,)])
    assert {event.state for event in WebhookEvent.objects.all()} == {"done"}
    assert waiting() == []


def test_payment_of_another_amount_than_the_links_own_is_not_counted(world: World, link: PaymentLink) -> None:
    """The reply says which link it was: what that asks for is known here."""
    paid_through(world, link)
    world.sadad.control.faults.add(READ, "reply_field", path="amount", value=5)
    with world.says(READ, "paymentLinkKey", int(link.sadad_key)):
        world.sadad.deliver()

    invoice = paid_links.invoices_of(link).get()
    assert (invoice.amount, invoice.is_paid, waiting()) == (Decimal("7.500"), False, ["mismatch"])


def test_payment_through_a_link_of_which_the_payer_says_the_amount_counts_with_it(world: World) -> None:
    row = mirroring.create(
        PaymentLinkDraft(title="Gift", is_open_amount=True, min_amount="1.000", max_amount="9.000")
    )
    push.run()
    link = fresh(row)
    paid_through(world, link)
    with world.says(READ, "paymentLinkKey", int(link.sadad_key)):
        world.sadad.deliver()

    invoice = paid_links.invoices_of(link).get()
    assert (invoice.amount, invoice.is_paid, waiting()) == (Decimal("7.500"), True, [])


def test_payment_is_linked_where_sadad_names_the_links_id(world: World, link: PaymentLink) -> None:
    paid_through(world, link)
    with world.says(READ, "paymentLinkId", int(link.sadad_id or 0)):
        world.sadad.deliver()

    assert paid_links.invoices_of(link).count() == 1


def test_payment_of_a_link_that_sadad_does_not_name_is_listed_as_such(
    world: World, link: PaymentLink
) -> None:
    """A type and an amount that fits prove nothing: several links may ask for it."""
    paid_through(world, link)
    world.sadad.deliver()

    assert paid_links.invoices_of(link).count() == 0
    assert [invoice.is_paid for invoice in paid_links.unassigned(link)] == [True]
    assert waiting() == []


@pytest.mark.parametrize("name", ["paymentLinkKey", "paymentLinkId"])
def test_link_of_somebody_else_is_not_guessed(world: World, link: PaymentLink, name: str) -> None:
    paid_through(world, link)
    with world.says(READ, name, 424242):
        world.sadad.deliver()

    assert paid_links.invoices_of(link).count() == 0
    assert paid_links.unassigned(link).count() == 1


def test_account_that_keeps_no_links_here_leaves_such_invoices_alone(world: World, link: PaymentLink) -> None:
    paid_through(world, link)
    PaymentLink.objects.all().delete()
    assert world.sadad.deliver() == [200]

    assert (Invoice.objects.count(), WebhookEvent.objects.get().state) == (0, "foreign")


def test_order_of_a_product_link_is_taken_over_with_its_amount(world: World) -> None:
    choice = Choice.objects.create(title="Pick")
    beans = product(Category.objects.create(name="Coffee"), stock=5)
    choice.products.add(beans)
    mirror([choice])
    push.run()
    link = ProductLink.objects.get()
    shown = gateway.client_of(link).product_links.getbykey(link.sadad_key).raw["categories"][0]["products"][0]
    lines = [{"product_id": shown["id"], "quantity": 2, "amount": "1.250"}]
    values = {"product_link_key": link.sadad_key, "total_amount": "2.500", "products": lines, **PAYER}
    world.sadad.control.pay(gateway.client_of(link).invoices.create_product_link_invoice(values))
    with world.says(READ, "productLinkKey", link.sadad_key):
        world.sadad.deliver()

    invoice = paid_links.invoices_of(link).get()
    assert (invoice.amount, invoice.kind, invoice.is_paid) == (Decimal("2.500"), "Order", True)


def test_payment_through_a_link_can_be_given_back(world: World, link: PaymentLink) -> None:
    paid_through(world, link)
    world.sadad.deliver()
    invoice = paid_links.unassigned(link).get()
    done = refund(invoice, Decimal("2.500"), reason="returned")

    assert (done.state, fresh(invoice).refunded_amount) == ("done", Decimal("2.500"))
    assert waiting() == []


def test_invoice_of_which_the_link_was_not_known_is_claimed_once_it_is(
    world: World, link: PaymentLink
) -> None:
    bill = paid_through(world, link)
    world.sadad.deliver()
    invoice = paid_links.unassigned(link).get()
    snapshot = snapshots.fetch(link, bill)
    for _ in range(2):
        claimed = adopt(link, snapshot, Expected(f"paymentlink:{link.pk}", invoice.amount, ""), ORIGIN)
        assert claimed == invoice

    assert paid_links.invoices_of(link).get() == invoice
    assert invoice.events.filter(kind="claimed").count() == 1


@pytest.mark.parametrize(
    ("expected", "what"),
    [
        (Expected("paymentlink:7", Decimal("1.000")), "amount"),
        (Expected("paymentlink:7", None, "another"), "reference"),
        (Expected("subscription:7"), "made_from"),
    ],
)
def test_invoice_is_not_claimed_by_what_differs_from_it(
    world: World, link: PaymentLink, expected: Expected, what: str
) -> None:
    bill = paid_through(world, link)
    world.sadad.deliver()
    with pytest.raises(CannotAdopt) as told:
        adopt(link, snapshots.fetch(link, bill), expected, ORIGIN)

    assert told.value.what == what
    assert paid_links.unassigned(link).count() == 1


@pytest.mark.parametrize("amount", [None, 0, -5])
def test_invoice_without_an_amount_is_not_taken_over(
    world: World, link: PaymentLink, amount: int | None
) -> None:
    paid_through(world, link)
    with world.says(READ, "amount", amount):
        assert world.sadad.deliver() == [200]

    assert (Invoice.objects.count(), WebhookEvent.objects.get().state) == (0, "foreign")


def test_link_invoice_that_nobody_paid_is_not_deleted(world: World, link: PaymentLink) -> None:
    values = {"payment_link_key": link.sadad_key, "amount": "7.500", **PAYER}
    bill = gateway.client_of(link).invoices.create_payment_link_invoice(values)
    assert world.sadad.post({"invoiceId": int(bill)}) == 200
    for _ in range(15):
        world.days(3)
        world.run()

    invoice = paid_links.unassigned(link).get()
    assert (invoice.state, world.sadad.calls("Invoice/delete")) == ("expired", [])


@pytest.mark.parametrize(("kwd", "counts"), [("12.345", True), ("1.234", False), ("14.000", False)])
def test_panel_invoice_in_another_currency_is_held_against_its_kwd_too(
    world: World, kwd: str, counts: bool
) -> None:
    """40 USD cost about 12.400 KWD; a rate of another day is no other amount."""
    order = make_order("40.000", currency="USD")
    made = world.sadad.control.create(kwd, ref_Number="A-1")
    world.sadad.control.faults.add(READ, "reply_field", path="currency_Code", value="USD")
    world.sadad.control.faults.add(READ, "reply_field", path="alt_Amount", value=40)
    if counts:
        assert adopting.adopt(order, str(made["id"])).amount == Decimal(kwd)
    else:
        with pytest.raises(Refused, match="adopt_amount"):
            adopting.adopt(order, str(made["id"]))


def test_reference_of_a_checkout_still_comes_first(world: World, link: PaymentLink) -> None:
    order = make_order()
    invoice = checkout(order)
    Invoice.objects.filter(pk=invoice.pk).update(sadad_id=None)
    world.sadad.control.pay(invoice.sadad_id)
    with world.says(READ, "type", "PaymentLink"):
        assert world.sadad.deliver() == [200]

    assert (fresh(order).paid_calls, fresh(invoice).made_from) == (1, "")
