"""``./run demo --check``: the whole walk against the running demo. A step is printed once it was seen."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

import django

from example_project.demo.program import ProgramError
from example_project.demo.stack import Stack
from example_project.demo.visitor import NotThere
from example_project.demo.walk import NotSeen, Walk, need, until

if TYPE_CHECKING:  # needs the models, so not before Django is set up
    from example_project.shop.models import Order


def run(stack: Stack) -> int:
    """Start the demo, walk, stop it. 0 only if every step was seen."""
    os.environ.update(stack.env)  # this process looks into the shop's database, as the shop's own programs do
    began = time.monotonic()
    try:
        with stack:
            django.setup()
            _say(f"emulator, shop and worker run ({time.monotonic() - began:.1f} s)")
            walk = Walk(stack)
            from example_project.demo.keeping import STEPS as KEEPING  # the models are there now

            steps = (*STEPS, *KEEPING)
            for step in steps:
                _step(step, walk)
    except Exception as error:  # noqa: BLE001 - whatever it was: it is told, with the logs, and the check failed
        _explain(stack, error)
        return 1
    print(f"all {len(steps)} steps seen in {time.monotonic() - began:.0f} s", flush=True)
    return 0


def _step(step: Callable[[Walk], str], walk: Walk) -> None:
    began = time.monotonic()
    try:
        seen = step(walk)
    except Exception:
        print(f"✗ {(step.__doc__ or step.__name__).strip()}", flush=True)
        walk.keep_logs()
        raise
    _say(f"{seen} ({time.monotonic() - began:.1f} s)")


def _say(text: str) -> None:
    print(f"✓ {text}", flush=True)


def _explain(stack: Stack, error: Exception) -> None:
    if isinstance(error, (NotSeen, NotThere, ProgramError)):
        print(f"  {type(error).__name__}: {error}", file=sys.stderr)
    else:
        traceback.print_exception(error)
    for tail in stack.tails:
        print(tail, file=sys.stderr)


# The steps, in their order


def buys(walk: Walk) -> str:
    """A buyer fills the basket, checks out, pays, closes the tab; the webhook marks the order paid"""
    from example_project.demo import books

    buyer, page = walk.order("coffee", "dates", "coffee")
    need(page.texts["amount"] == "13.250 KWD", f"the pay page asks for {page.texts['amount']}")
    walk.pay(buyer, page)
    order = walk.order_of(buyer)
    until("the order page says paid", lambda: walk.is_shown_as_paid(buyer, order))
    (invoice,) = books.invoices_of(order)
    source = books.source_of_payment(invoice)
    need(source == "webhook", f"the payment was found by {source}")
    walk.first = order
    return f"bought for 13.250 KWD, paid by KNET, tab closed: the webhook marked {order} paid"


def refunds(walk: Walk) -> str:
    """Staff refund part of it in the admin"""
    from example_project.demo import books

    assert walk.first is not None
    (invoice,) = books.invoices_of(walk.first)
    staff = walk.logs_in()
    page = staff.get(f"/admin/sadadpay/invoice/{invoice.pk}/refund/")
    page = staff.submit(page, page.form(has="amount"), amount="2.750", reason="One box of dates was missing")
    page = staff.submit(page, page.form(has="confirmed"), "confirmed=Refund now")
    need(page.status == 200, f"the admin answered {page.status}")
    theirs = [
        row["refunded_Amount"] for row in walk.sadad.see("invoices") if str(row["id"]) == invoice.sadad_id
    ]
    need(theirs == [2.75], f"Sadad says refunded {theirs}")
    page = staff.get(walk.first.get_absolute_url())
    need(page.texts.get("refunded") == "2.750 KWD", f"the order page says {page.texts.get('refunded')}")
    walk.all_agree()
    return "refunded 2.750 KWD of it in the admin, after a confirmation; Sadad, admin and order page agree"


def fails_and_tries_again(walk: Walk) -> str:
    """The bank refuses a card, the buyer tries again from the page that says so"""
    buyer, page = walk.order("karak")
    page = walk.pay(buyer, page, and_return=True, outcome="failure")
    need("sadadpay-failed" in page.html, f"the return page does not speak of a failure: {page.url}")
    page = buyer.get(page.link("Try again"))
    back = walk.pay(buyer, page, and_return=True).url
    # Two looks at Sadad within 5 seconds are one: this buyer was quicker than a person, and reloads.
    until("the buyer sees the order paid", lambda: "/order/" in buyer.get(back).url)
    need(walk.is_shown_as_paid(buyer, walk.order_of(buyer)), "the order is not paid")
    return "a refused card, then another try from the page that says so: paid, back on the order's page"


def pays_in_arabic(walk: Walk) -> str:
    """A buyer shops in Arabic"""
    buyer = walk.fill_basket("bukhoor")
    page = buyer.get("/basket/")
    page = buyer.submit(page, page.form(has="language"), "language=ar")
    need(page.attributes["html"].get("dir") == "rtl", "the basket does not run from right to left")
    need("8.250 د.ك" in page.texts["total"], f"the basket says {page.texts['total']}")
    page = buyer.get("/checkout/")
    page = buyer.submit(page, page.form(id="details"), name="نور الصباح", phone="٥١٢٣٤٥٦٧")
    need(page.attributes["html"].get("lang") == "ar", "the pay page is not in Arabic")
    page = walk.pay(buyer, page, and_return=True)
    need(
        page.attributes["html"].get("dir") == "rtl" and page.attributes["status"]["data-status"] == "paid",
        page.url,
    )
    return "the same in Arabic: basket, pay page and order page from right to left"


def loses_a_webhook(walk: Walk) -> str:
    """The webhook is dropped; reconcile finds the payment"""
    from example_project.demo import books

    buyer, page = walk.order("dallah")
    order = walk.order_of(buyer)
    walk.sadad.fault("webhook", "drop", times=1)
    walk.pay(buyer, page)
    need([row["state"] for row in walk.sadad.see("webhooks")][-1] == "dropped", "the webhook was not dropped")
    need(not walk.is_shown_as_paid(buyer, order), "paid, though nobody told the shop")
    books.make_due()
    until("the order page says paid", lambda: walk.is_shown_as_paid(buyer, order))
    (invoice,) = books.invoices_of(order)
    source = books.source_of_payment(invoice)
    need(source == "reconcile", f"the payment was found by {source}")
    return f"a dropped webhook: two minutes later (skipped) reconcile found the payment of {order}"


def loses_the_answer_of_an_insert(walk: Walk) -> str:
    """The connection is cut after Sadad made the invoice"""
    walk.sadad.fault("Invoice/insert", "cut_after", times=1)
    buyer, page = walk.order("coffee")
    order = walk.order_of(buyer)
    at_sadad = _payable_at_sadad(walk, order)
    need(at_sadad == [page.form(id="pay").action.rpartition("/")[2]], f"payable at Sadad: {at_sadad}")
    walk.pay(buyer, page)
    until("the order page says paid", lambda: walk.is_shown_as_paid(buyer, order))
    return "a lost answer to Invoice/insert: found at Sadad, the buyer got its link and paid"


def leaves_no_orphan(walk: Walk) -> str:
    """The answer is lost and Sadad's list cannot be read: a second invoice, and the first is deleted"""
    walk.sadad.fault("Invoice/insert", "cut_after", times=1)
    walk.sadad.fault("Invoice/getall", "error_before")
    buyer, page = walk.order("dates")
    walk.sadad.no_more_faults()
    order = walk.order_of(buyer)
    need(len(_payable_at_sadad(walk, order)) == 2, "there is no orphan to begin with")
    walk.pay(buyer, page)
    until("the order page says paid", lambda: walk.is_shown_as_paid(buyer, order))
    walk.three_reconcile_runs()
    left = _payable_at_sadad(walk, order)
    need(not left, f"still payable at Sadad: {left}")
    return "the same while Sadad's list is down: a new link was paid, and reconcile deleted the orphan"


def _payable_at_sadad(walk: Walk, order: Order) -> list[str]:
    """Keys of the order's invoices that a buyer could still pay at Sadad."""
    rows = walk.sadad.see("invoices")
    ours = [row for row in rows if row["ref_Number"].startswith(f"{order.number}-")]
    return [row["key"] for row in ours if row["status"] == "Unpaid" and not row["deleted"]]


def loses_the_shop(walk: Walk) -> str:
    """kill -9 of the shop between payment and webhook"""
    buyer, page = walk.order("dhow")
    order = walk.order_of(buyer)
    walk.stack.programs["shop"].kill()
    walk.pay(buyer, page)
    until("a webhook found nobody", lambda: walk.sadad.see("webhooks")[-1]["tries"] > 0)
    walk.stack.restart("shop")
    walk.three_reconcile_runs()
    need(walk.is_shown_as_paid(buyer, order), "not paid")
    walk.all_agree()
    return f"kill -9 of the shop between payment and webhook: {order} is paid once, every field agrees"


def loses_the_worker(walk: Walk) -> str:
    """kill -9 of the worker in the middle of a webhook"""
    from example_project.demo import books

    buyer, page = walk.order("dallah", "karak")
    order = walk.order_of(buyer)
    walk.sadad.fault("Invoice/getbyid", "latency", seconds=6)
    walk.pay(buyer, page)
    until("the worker asks Sadad", books.is_being_handled)
    walk.stack.programs["worker"].kill()
    walk.sadad.no_more_faults()
    need(books.is_being_handled() and not walk.is_shown_as_paid(buyer, order), "the worker was done already")
    walk.stack.restart("worker")
    walk.three_reconcile_runs()
    need(walk.is_shown_as_paid(buyer, order), "not paid")
    walk.all_agree()
    return f"kill -9 of the worker in the middle of a webhook: {order} is paid once, every field agrees"


STEPS: tuple[Callable[[Walk], str], ...] = (
    buys,
    refunds,
    fails_and_tries_again,
    pays_in_arabic,
    loses_a_webhook,
    loses_the_answer_of_an_insert,
    leaves_no_orphan,
    loses_the_shop,
    loses_the_worker,
)
