"""Invoices made in Sadad's panel: linked to the order that their reference names, settled as any other."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from django_sadadpay import checkout, conf, verify
from django_sadadpay.gateway.errors import RateLimited
from django_sadadpay.gateway.records import InvoiceRecord
from django_sadadpay.models import Attention, Invoice, InvoiceEvent
from django_sadadpay.registry import Payable
from django_sadadpay.services import adopting, adoption, gateway, panel_invoices, patience, pull, snapshots
from django_sadadpay.services.adoption import PANEL
from django_sadadpay.services.errors import Refused
from django_sadadpay.services.ledger import Origin
from django_sadadpay.services.lists import Taken
from django_sadadpay.services.pull import Counted
from django_sadadpay.testing.gateway import Sadad
from tests.services.conftest import make_order
from tests.shop.models import Order
from tests.shop.sadadpay import OrderPayable

pytestmark = pytest.mark.django_db(transaction=True)


def run(**options: Any) -> Counted:
    (counted,) = pull.run(resources=["invoices"], **options).lists
    return counted


def test_it_is_linked_to_the_order_and_counts_when_it_is_paid(sadad: Sadad) -> None:
    order = make_order()
    made = sadad.control.create("12.345", ref_Number="A-1")
    assert run().counts == {"new": 1}
    (invoice,) = Invoice.objects.for_object(order)
    assert (invoice.sadad_id, invoice.ref_number, invoice.state) == (str(made["id"]), "A-1", "open")
    assert (invoice.made_from, invoice.open_slot) == (PANEL, None)
    sadad.pay(invoice)
    assert sadad.deliver() == [200]
    order.refresh_from_db()
    assert (order.status, order.paid_calls) == ("paid", 1)


def test_one_that_is_paid_already_is_settled_at_once_and_once(sadad: Sadad) -> None:
    order = make_order()
    sadad.control.pay(sadad.control.create("12.345", ref_Number="A-1")["id"])
    assert run().counts == {"new": 1}
    assert run().counts == {"unchanged": 1}
    order.refresh_from_db()
    assert (order.status, order.paid_calls, Invoice.objects.count()) == ("paid", 1, 1)


def test_one_whose_own_reference_is_another_is_not_linked(sadad: Sadad) -> None:
    """The list only names an invoice; whose it is counts as Sadad says when asked for it alone."""
    order = make_order()
    made = sadad.control.create("12.345", ref_Number="SOMEBODY-ELSE")
    sadad.control.pay(made["id"])
    sadad.control.faults.add("Invoice/getall", "reply_field", path="*.ref_Number", value="A-1")
    counted = run()
    assert (counted.counts, counted.needs_a_look) == ({"failed": 1}, True)
    order.refresh_from_db()
    assert (order.status, order.paid_calls, Invoice.objects.count()) == ("new", 0, 0)


def test_our_own_invoices_are_known(sadad: Sadad) -> None:
    checkout(make_order())
    assert run().counts == {"unchanged": 1}
    assert Invoice.objects.count() == 1


@pytest.mark.parametrize("reference", ["", "B-9"])
def test_what_no_payable_knows_is_left_alone(sadad: Sadad, reference: str) -> None:
    sadad.control.create("12.345", ref_Number=reference)
    counted = run()
    assert (counted.counts, counted.needs_a_look) == ({"foreign": 1}, False)
    assert not Invoice.objects.exists()


def test_without_the_hook_nothing_is_adopted(sadad: Sadad, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OrderPayable, "find", Payable.find)
    make_order()
    sadad.control.create("12.345", ref_Number="A-1")
    assert run().counts == {"foreign": 1}


def test_another_amount_or_currency_than_the_order_s_is_not_linked(sadad: Sadad) -> None:
    make_order()
    make_order(number="A-2", currency="USD")
    sadad.control.create("12.340", ref_Number="A-1")
    sadad.control.create("12.345", ref_Number="A-2")
    counted = run()
    assert (counted.counts, counted.needs_a_look) == ({"failed": 2}, True)
    assert not Invoice.objects.exists()


def test_an_order_of_another_account_is_not_linked(sadad: Sadad) -> None:
    make_order(account="other")
    sadad.control.create("12.345", ref_Number="A-1")
    assert run().counts == {"foreign": 1}


def test_a_cancelled_one_is_left_alone(sadad: Sadad) -> None:
    make_order()
    sadad.control.cancel(sadad.control.create("12.345", ref_Number="A-1")["id"])
    assert set(run().counts) <= {"foreign"}
    assert not Invoice.objects.exists()


def test_a_second_payment_of_a_paid_order_waits_for_a_person(sadad: Sadad) -> None:
    order = make_order()
    invoice = checkout(order)
    sadad.pay(invoice)
    sadad.deliver()
    sadad.control.pay(sadad.control.create("12.345", ref_Number="A-1")["id"])
    run()
    order.refresh_from_db()
    assert order.paid_calls == 1
    assert Attention.objects.get(resolved_at=None).code == "paid_twice"


@pytest.mark.parametrize("ending", ["expire", "cancel"])
def test_while_the_order_has_a_link_of_its_own_it_is_not_told_that_the_panel_s_ended(
    sadad: Sadad, ending: str
) -> None:
    order = make_order()
    panels = adopting.adopt(order, str(sadad.control.create("12.345", ref_Number="A-1")["id"]))
    ours = checkout(order)
    getattr(sadad.control, ending)(panels.sadad_id)
    assert verify(panels).state in ("expired", "cancelled")
    order.refresh_from_db()
    ours.refresh_from_db()
    assert (order.status, ours.state) == ("new", "open")
    sadad.control.expire(ours.sadad_id)
    verify(ours)
    order.refresh_from_db()
    assert order.status == "expired"


def test_without_a_link_of_its_own_it_is_told(sadad: Sadad) -> None:
    order = make_order()
    panels = adopting.adopt(order, str(sadad.control.create("12.345", ref_Number="A-1")["id"]))
    sadad.control.expire(panels.sadad_id)
    verify(panels)
    order.refresh_from_db()
    assert order.status == "expired"


def test_an_insert_that_was_never_answered_is_found(sadad: Sadad) -> None:
    order = make_order()
    invoice = checkout(order)
    Invoice.objects.filter(pk=invoice.pk).update(sadad_id=None, state="unknown", open_slot=None)
    assert run().counts == {"matched": 1}
    invoice.refresh_from_db()
    assert invoice.sadad_id is not None
    assert Invoice.objects.count() == 1


def for_nobody(sadad: Sadad, sadad_id: Any, made_from: str = PANEL) -> Invoice:
    """Take an invoice over that is for no object of the shop's."""
    place = Invoice(account="default", environment="sandbox")
    snapshot = snapshots.fetch(place, str(sadad_id))
    return adoption.adopt(place, snapshot, adoption.Expected(made_from), Origin(InvoiceEvent.Source.WEBHOOK))


def test_one_taken_over_for_nobody_is_linked_while_it_is_unpaid(sadad: Sadad) -> None:
    made = sadad.control.create("12.345", ref_Number="A-1")
    for_nobody(sadad, made["id"])
    order = make_order()
    assert run().counts == {"new": 1}
    invoice = Invoice.objects.get()
    assert invoice.object == order
    assert sum(line.total for line in invoice.lines.all()) == invoice.amount


def test_since_leaves_older_ones_out_though_the_filter_is_ignored(sadad: Sadad) -> None:
    make_order()
    sadad.control.create("12.345", ref_Number="A-1")
    sadad.control.faults.add("Invoice/getall", "ignore_filter")
    assert run(since=date(2100, 1, 1)).counts == {}
    assert run(since=date(2000, 1, 1)).counts == {"new": 1}


def test_a_dry_run_links_nothing(sadad: Sadad) -> None:
    make_order()
    sadad.control.create("12.345", ref_Number="A-1")
    changes: list[Any] = []
    counted = run(dry_run=True, on_progress=lambda progress: changes.extend(progress.changes))
    assert counted.counts == {"new": 1}
    assert [(each.kind, each.theirs) for each in changes] == [("invoice", "A-1")]
    assert not Invoice.objects.exists()


def test_a_dry_run_says_what_would_be_found(sadad: Sadad) -> None:
    invoice = checkout(make_order())
    Invoice.objects.filter(pk=invoice.pk).update(sadad_id=None, state="unknown", open_slot=None)
    assert run(dry_run=True).counts == {"matched": 1}
    invoice.refresh_from_db()
    assert invoice.sadad_id is None


def test_a_rate_limit_that_lasts_ends_the_list(sadad: Sadad, monkeypatch: pytest.MonkeyPatch) -> None:
    make_order()
    sadad.control.create("12.345", ref_Number="A-1")

    def limited(*_: Any) -> Any:
        raise RateLimited("Invoice/getbyid", 60)

    monkeypatch.setattr(patience, "call", limited)
    client = gateway.client_for(conf.current().account("default"))
    source = panel_invoices.Invoices(conf.current().account("default"), client, None, dry_run=False)
    with pytest.raises(RateLimited):
        source._one(InvoiceRecord.from_wire(sadad.control.invoices()[0]), None, Taken())
    assert not Invoice.objects.exists()


# By hand


def test_a_payable_that_is_not_registered_is_named(sadad: Sadad) -> None:
    with pytest.raises(LookupError, match="'nobody'"):
        adopting.adopt(make_order(), "5", name="nobody")


def test_two_who_link_it_at_once_have_one_row(sadad: Sadad, monkeypatch: pytest.MonkeyPatch) -> None:
    order, made = make_order(), sadad.control.create("12.345", ref_Number="A-1")
    theirs = adopting.adopt(order, str(made["id"]))
    find, answers = adoption.find, [None, None]  # as it was when we looked, and when we began to write
    monkeypatch.setattr(adoption, "find", lambda *of: answers.pop() if answers else find(*of))
    assert adopting.adopt(order, str(made["id"])) == theirs
    assert answers == []
    assert Invoice.objects.count() == 1


def test_staff_link_one_by_its_id(sadad: Sadad, django_user_model: Any) -> None:
    order, made = make_order(), sadad.control.create("12.345", ref_Number="anything")
    boss = django_user_model.objects.create(username="boss")
    invoice = adopting.adopt(order, str(made["id"]), by=boss)
    assert invoice == adopting.adopt(order, str(made["id"]), by=boss)
    assert (invoice.object, invoice.amount) == (order, Decimal("12.345"))
    assert invoice.events.filter(by_name="boss").exists()


def test_an_invoice_of_one_order_is_not_linked_to_another(sadad: Sadad) -> None:
    made = sadad.control.create("12.345", ref_Number="A-1")
    mine = adopting.adopt(make_order(number="A-1"), str(made["id"]))
    ours = checkout(make_order(number="A-2"))
    for sadad_id in (mine.sadad_id, ours.sadad_id):
        with pytest.raises(Refused, match="adopt_held"):
            adopting.adopt(make_order(number=f"B-{sadad_id}"), sadad_id or "")
    assert Invoice.objects.count() == 2


def test_a_payment_through_a_link_is_not_linked_to_an_order(sadad: Sadad) -> None:
    made = sadad.control.create("12.345", ref_Number="A-1")
    for_nobody(sadad, made["id"], "paymentlink")
    with pytest.raises(Refused, match="adopt_held"):
        adopting.adopt(make_order(), str(made["id"]))


def test_one_for_a_payable_without_a_model_belongs_to_its_key(sadad: Sadad) -> None:
    sadad_id = str(sadad.control.create("5.000")["id"])
    mine = adopting.adopt("well-3", sadad_id, name="donation")
    assert (mine.payable, mine.object_id) == ("donation", "well-3")
    assert adopting.adopt("well-3", sadad_id, name="donation") == mine
    with pytest.raises(Refused, match="adopt_held"):
        adopting.adopt("well-4", sadad_id, name="donation")


def test_another_order_that_was_quicker_keeps_it(sadad: Sadad, monkeypatch: pytest.MonkeyPatch) -> None:
    made = sadad.control.create("12.345", ref_Number="A-1")
    theirs = adopting.adopt(make_order(), str(made["id"]))
    find, answers = adoption.find, [None, None]
    monkeypatch.setattr(adoption, "find", lambda *of: answers.pop() if answers else find(*of))
    with pytest.raises(Refused, match="adopt_held"):
        adopting.adopt(make_order(number="B-1"), str(made["id"]))
    assert Invoice.objects.get() == theirs


def test_one_that_was_paid_for_nobody_is_not_linked(sadad: Sadad) -> None:
    made = sadad.control.create("12.345", ref_Number="A-1")
    for_nobody(sadad, made["id"])
    sadad.control.pay(made["id"])
    verify(Invoice.objects.get())
    with pytest.raises(Refused, match="adopt_settled"):
        adopting.adopt(make_order(), str(made["id"]))


def test_linking_by_hand_never_waits(sadad: Sadad, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody waits for the page."""
    made = sadad.control.create("12.345")
    monkeypatch.setattr(patience, "sleep", lambda seconds: pytest.fail(f"slept {seconds}"))
    sadad.control.faults.add("Invoice/getbyid", "rate_limited", retry_after=60)
    with pytest.raises(RateLimited):
        adopting.adopt(make_order(), str(made["id"]))


@pytest.mark.parametrize(("asked", "code"), [("1.000", "adopt_amount"), ("0", "nothing_to_pay")])
def test_and_are_told_why_not(sadad: Sadad, asked: str, code: str) -> None:
    made = sadad.control.create("12.345")
    with pytest.raises(Refused, match=code):
        adopting.adopt(make_order(asked), str(made["id"]))


def test_an_invoice_in_the_order_s_own_currency_is_held_against_that(sadad: Sadad) -> None:
    order = make_order("40.000", currency="USD")
    sadad.control.create("12.345", ref_Number="A-1")
    record = InvoiceRecord.from_wire(
        {"id": 7, "amount": "12.345", "currency_Code": "USD", "alt_Amount": "40"}
    )
    from django_sadadpay.services import clock, drafts

    plan = drafts.plan(OrderPayable_of(), order, clock.now())
    adopting._check(plan, record, None)
    columns = adoption._objects(record, adoption.Expected(PANEL, plan=plan), plan)
    assert (columns["amount"], columns["shop_amount"]) == (Decimal("12.345"), Decimal("40.000"))
    assert columns["rate"] * 40 == pytest.approx(Decimal("12.345"))


def OrderPayable_of() -> Payable[Order]:
    from django_sadadpay.registry import payables

    return payables.for_object(Order())
