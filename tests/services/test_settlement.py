"""Settlement: facts are recorded, applied once, and never believed from the wrong reply (money-flow 2, 4)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError
from django.dispatch import Signal

from django_sadadpay import checkout, refund, signals, verify
from django_sadadpay.gateway.errors import OutcomeUnknown
from django_sadadpay.gateway.records import InvoiceRecord
from django_sadadpay.models import Attention, Invoice, InvoiceEvent, Refund
from django_sadadpay.models.invoice import as_fact, replay
from django_sadadpay.registry import payables
from django_sadadpay.services import (
    applying,
    attempts,
    clock,
    hooks,
    looking,
    reconcile,
    settlement,
    snapshots,
    transitions,
)
from django_sadadpay.services.errors import Refused, TryAgain
from django_sadadpay.services.ledger import Fetch, Origin
from django_sadadpay.services.snapshots import Snapshot
from django_sadadpay.testing.gateway import Sadad
from tests.services.conftest import fresh, waiting
from tests.shop.models import Order
from tests.shop.sadadpay import OrderPayable

State, Code = Invoice.State, Attention.Code
Shift = Callable[[float], None]
ORIGIN = Origin(InvoiceEvent.Source.WEBHOOK)


def snapshot(invoice: Invoice, began: float = 0.0, **changes: Any) -> Snapshot:
    """What Sadad would say of the invoice now, with some fields changed; fetched ``began`` seconds from
    now.
    """
    raw = {
        "id": int(invoice.sadad_id or 0),
        "key": invoice.sadad_key,
        "status": "Unpaid",
        "amount": invoice.amount,
        "ref_Number": invoice.reference,
        "url": invoice.pay_url,
        "refunded_Amount": 0,
        **changes,
    }
    start = clock.now() + timedelta(seconds=began)
    return Snapshot(InvoiceRecord.from_wire(raw), Fetch(start, start + timedelta(milliseconds=20)))


def settle(invoice: Invoice, began: float = 0.0, **changes: Any) -> Invoice:
    return settlement.settle(invoice.pk, snapshot(invoice, began, **changes), ORIGIN).invoice


class Heard(list[Any]):
    """What a signal said."""

    def __init__(self, *heard: Signal) -> None:
        super().__init__()
        for signal in heard:
            signal.connect(self._hear, weak=False, dispatch_uid=id(self))
        self.signals = heard

    def _hear(self, **values: Any) -> None:
        self.append(values)

    def stop(self) -> None:
        for signal in self.signals:
            signal.disconnect(dispatch_uid=id(self))


@pytest.fixture
def heard() -> Iterator[Heard]:
    kinds = (signals.invoice_paid, signals.invoice_expired, signals.invoice_cancelled)
    found = Heard(*kinds, signals.invoice_needs_attention)
    yield found
    found.stop()


def assert_replays(invoice: Invoice) -> None:
    row = fresh(invoice)
    facts = replay(row.events.all())
    assert {name: facts[name] for name in Invoice.TRACKED} == {
        name: as_fact(getattr(row, name)) for name in Invoice.TRACKED
    }


# Paid, once


def test_a_payment_marks_the_order_paid_once_however_often_it_is_seen(
    sadad: Sadad, order: Order, heard: Heard
) -> None:
    invoice = checkout(order)
    sadad.pay(invoice)
    assert sadad.deliver(times=3) == [200, 200, 200]
    verify(invoice)
    assert (fresh(order).status, fresh(order).paid_calls) == ("paid", 1)
    assert [h["signal"] for h in heard] == [signals.invoice_paid]
    assert fresh(invoice).handled_at is not None
    assert_replays(invoice)


@pytest.mark.parametrize("word", ["Paid", "Deposited", "paid", " PAID "])
def test_every_word_that_proves_a_payment_counts(sadad: Sadad, order: Order, word: str) -> None:
    invoice = settle(checkout(order), status=word)
    assert invoice.is_applied
    assert fresh(order).paid_calls == 1


def test_a_deposited_invoice_stays_paid(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    sadad.pay(invoice)
    sadad.deliver()
    sadad.control.deposit(invoice.sadad_id)
    assert verify(invoice).status_text == "Deposited"
    assert fresh(order).paid_calls == 1


def test_float_noise_is_no_mismatch(sadad: Sadad, order: Order) -> None:
    invoice = settle(checkout(order), status="Paid", amount=Decimal("12.345000000128746034"))
    assert invoice.is_paid


# Not believed


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"amount": Decimal("12.344")}, "amount"),
        ({"amount": Decimal("1.2345")}, "amount"),
        ({"amount": None}, "amount"),
        ({"amount": -1}, "amount"),
        ({"ref_Number": "another"}, "reference"),
        ({"ref_Number": None}, "reference"),
        ({"id": 999999}, "id"),
    ],
)
def test_a_reply_that_differs_is_recorded_applied_to_nothing_and_asks(
    sadad: Sadad, order: Order, changes: dict[str, Any], what: str
) -> None:
    invoice = checkout(order)
    for _ in range(2):
        settle(invoice, status="Paid", **changes)
    row = fresh(invoice)
    assert (row.state, fresh(order).paid_calls) == (State.OPEN, 0)
    code = Code.ID_CONFLICT if what == "id" else Code.MISMATCH
    assert waiting(row) == [code]
    assert row.events.filter(kind="mismatch").count() == 1
    assert row.next_check_at is not None
    settle(invoice)
    # money may be waiting on the other id: only a person can say
    assert waiting(row) == ([code] if what == "id" else [])


def test_another_row_holds_the_id(sadad: Sadad, order: Order, order_of: Any) -> None:
    first = checkout(order)
    second = checkout(order_of("12.345"))
    Invoice.objects.filter(pk=second.pk).update(sadad_id=None)
    row = settle(fresh(second), id=int(first.sadad_id or 0))
    assert (row.sadad_id, waiting(row)) == (None, [Code.ID_CONFLICT])


def test_a_mismatch_that_a_person_has_dealt_with_is_not_asked_again(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    settle(invoice, amount=1)
    Attention.objects.update(open_slot=None, resolved_at=clock.now(), resolution="dismissed: seen")
    settle(invoice, amount=1)
    assert waiting() == []
    settle(invoice, amount=2)
    assert waiting() == [Code.MISMATCH]
    settle(invoice, amount=3)
    assert Attention.objects.get(resolved_at=None).params["theirs"] == "3"


def test_a_reply_for_another_id_is_thrown_away_and_asked_again(
    sadad: Sadad, order: Order, order_of: Any
) -> None:
    invoice = checkout(order)
    checkout(order_of("1.000"))
    sadad.control.faults.add("Invoice/getbyid", "wrong_id", times=1)
    sadad.pay(invoice)
    assert verify(invoice).is_paid
    sadad.control.faults.add("Invoice/getbyid", "wrong_id")
    with pytest.raises(OutcomeUnknown):
        snapshots.fetch(invoice, invoice.sadad_id or "")
    sadad.control.clear_log()
    with pytest.raises(OutcomeUnknown):
        looking.look(invoice, ORIGIN, tries=1)
    assert sadad.calls("Invoice/getbyid") == ["Invoice/getbyid"]  # one call is all that the return view has


def test_an_unknown_word_changes_nothing_and_asks(sadad: Sadad, order: Order) -> None:
    invoice = settle(checkout(order), status="Frozen")
    assert (invoice.state, waiting(invoice)) == (State.OPEN, [Code.UNKNOWN_STATUS])
    settle(invoice)
    assert waiting() == []


# Order of snapshots


def test_an_older_snapshot_never_takes_a_payment_back(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    settle(invoice, began=60, status="Paid")
    settled = settlement.settle(invoice.pk, snapshot(invoice), ORIGIN)
    assert settled.stale
    assert (settled.invoice.state, settled.invoice.status_text) == (State.PAID, "Paid")


def test_an_older_snapshot_still_proves_a_payment(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    settle(invoice, began=60)
    row = settle(invoice, status="Paid")
    assert row.is_applied
    assert row.status_text == "Unpaid"  # the newest word stays


def test_an_older_reply_of_sadad_is_looked_at_again(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = checkout(order)
    real = snapshots.fetch
    seen: list[int] = []

    def fetch(row: Any, sadad_id: str, **values: Any) -> Snapshot:
        found = real(row, sadad_id, **values)
        seen.append(1)
        if len(seen) == 1:  # another process settles a newer fetch while ours is under way
            settlement.settle(invoice.pk, real(row, sadad_id), ORIGIN)
        return found

    monkeypatch.setattr(snapshots, "fetch", fetch)
    looking.look(invoice, ORIGIN)
    assert len(seen) == 2


@pytest.mark.parametrize(("what", "changes"), [("paid", {"status": "Unpaid"}), ("refunded", {})])
def test_a_payment_that_seems_to_vanish_asks_after_two_fetches(
    sadad: Sadad, order: Order, what: str, changes: dict[str, Any]
) -> None:
    invoice = checkout(order)
    settle(invoice, status="Paid", refunded_Amount=1)
    later = {"status": "Paid", **changes}
    row = settle(invoice, began=1, **later)
    assert (waiting(row), row.doubt) == ([Code.REFUND_SEEN_FIRST], {"what": what})
    settle(invoice, began=2, **later)
    row = fresh(invoice)
    assert Code.FACTS_FELL in waiting(row)
    assert (row.state, row.refunded_amount) == (State.PAID, Decimal("1.000"))
    row = settle(invoice, began=3, status="Paid", refunded_Amount=1)
    assert (row.doubt, Code.FACTS_FELL in waiting(row)) == (None, False)


def test_another_doubt_starts_anew(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    settle(invoice, status="Paid", refunded_Amount=1)
    settle(invoice, began=1, status="Paid")
    row = settle(invoice, began=2, status="Unpaid")
    assert row.doubt == {"what": "paid"}
    assert Code.FACTS_FELL not in waiting(row)


# Impossible facts


@pytest.mark.parametrize("amount", [Decimal("12.346"), -1, Decimal("1.00049"), "abc"])
def test_a_refund_figure_that_cannot_be_is_flagged_and_not_stored(
    sadad: Sadad, order: Order, amount: Any
) -> None:
    invoice = checkout(order)
    settle(invoice, status="Paid")
    row = settle(invoice, began=1, status="Paid", refunded_Amount=amount)
    if amount == "abc":  # no number at all is no figure
        assert waiting(row) == []
        return
    assert (row.refunded_amount, waiting(row)) == (Decimal("0.000"), [Code.FACT_REFUSED])
    settle(invoice, began=2, status="Paid", refunded_Amount=amount)
    assert row.events.filter(kind="fact_refused").count() == 1
    settle(invoice, began=3, status="Paid", refunded_Amount=1)
    assert waiting(row) == []


# Other states


@pytest.mark.parametrize("changes", [{"status": "Canceled"}, {"status": "Unpaid", "deleted": True}])
def test_an_invoice_cancelled_in_the_panel_ends_and_the_shop_is_told(
    sadad: Sadad, order: Order, heard: Heard, changes: dict[str, Any]
) -> None:
    row = settle(checkout(order), **changes)
    assert (row.state, row.open_slot, fresh(order).status) == (State.CANCELLED, None, "cancelled")
    assert [h["signal"] for h in heard] == [signals.invoice_cancelled]
    assert_replays(row)


def test_an_invoice_expired_at_sadad_ends_and_the_shop_is_told(
    sadad: Sadad, order: Order, heard: Heard
) -> None:
    row = settle(checkout(order), status="Expired")
    assert (row.state, fresh(order).status) == (State.EXPIRED, "expired")
    assert [h["signal"] for h in heard] == [signals.invoice_expired]


def test_a_hook_that_fails_at_the_end_asks_a_person(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    Order.objects.update(behaviour="raise_end")
    row = settle(invoice, status="Expired")
    assert (row.state, waiting(row)) == (State.EXPIRED, [Code.END_HOOK_FAILED])


def test_an_ended_invoice_of_an_order_paid_elsewhere_tells_nobody(sadad: Sadad, order: Order) -> None:
    old = checkout(order)
    Invoice.objects.update(state=State.CANCELLED, open_slot=None)
    new = checkout(order)
    settle(old, status="Paid")
    settle(new, status="Expired")
    assert fresh(order).status == "paid"


def test_a_dead_invoice_that_is_still_dead_stays_so(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    settle(invoice, status="Canceled")
    assert settle(invoice, began=1, status="Expired").state == State.CANCELLED


# Applying


def test_the_loser_of_two_payments_is_recorded_and_flagged(sadad: Sadad, order: Order, heard: Heard) -> None:
    first = checkout(order)
    Invoice.objects.update(state=State.CANCELLED, open_slot=None)
    second = checkout(order)
    sadad.pay(second)
    sadad.pay(first)
    verify(second)
    row = verify(first)
    assert (row.state, row.is_applied, waiting(row)) == (State.PAID, False, [Code.PAID_TWICE])
    assert fresh(order).paid_calls == 1
    assert [h["signal"] for h in heard if h["signal"] is signals.invoice_paid] == [signals.invoice_paid]
    refund(row, reason="paid twice")
    assert waiting(row) == []


def test_the_slot_taken_between_look_and_write_loses_too(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = checkout(order)
    settle(first, status="Canceled")
    second = checkout(order)
    settle(second, status="Paid")
    monkeypatch.setattr(transitions, "paid_elsewhere", lambda invoice: False)
    row = settle(first, began=1, status="Paid")
    assert (row.is_paid, row.is_applied, waiting(row)) == (True, False, [Code.PAID_TWICE])
    assert_replays(row)


def test_an_amount_that_changed_is_not_applied(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    Order.objects.update(amount=Decimal("99.000"))
    row = settle(invoice, status="Paid")
    assert (row.is_paid, row.is_applied, waiting(row)) == (True, False, [Code.AMOUNT_CHANGED])
    assert fresh(order).paid_calls == 0
    assert_replays(row)


def test_a_person_may_count_it_all_the_same(sadad: Sadad, order: Order, admin_user: Any) -> None:
    invoice = checkout(order)
    Order.objects.update(amount=Decimal("99.000"))
    settle(invoice, status="Paid")
    row = applying.apply_anyway(invoice.pk, Origin("staff", admin_user))
    assert (row.is_applied, waiting(row), fresh(order).paid_calls) == (True, [], 1)
    assert row.events.get(kind="handled").by_name == "admin"
    applying.apply_anyway(invoice.pk, Origin("staff", admin_user))
    assert fresh(order).paid_calls == 1


def test_what_is_not_paid_cannot_be_counted(sadad: Sadad, order: Order, admin_user: Any) -> None:
    invoice = checkout(order)
    with pytest.raises(Refused, match="not_paid"):
        applying.apply_anyway(invoice.pk, Origin("staff", admin_user))


def test_a_second_payment_cannot_be_counted(sadad: Sadad, order: Order, admin_user: Any) -> None:
    first = checkout(order)
    Invoice.objects.update(state=State.CANCELLED, open_slot=None)
    second = checkout(order)
    settle(second, status="Paid")
    settle(first, status="Paid")
    with pytest.raises(Refused, match="already_paid"):
        applying.apply_anyway(first.pk, Origin("staff", admin_user))
    assert (fresh(first).is_applied, fresh(order).paid_calls) == (False, 1)


def test_a_payment_on_a_cancelled_invoice_counts_if_it_is_what_is_due(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    settle(invoice, status="Canceled")
    row = settle(invoice, began=1, status="Paid")
    assert (row.is_applied, fresh(order).paid_calls) == (True, 1)


def test_a_payment_on_a_cancelled_invoice_of_another_amount_waits(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    settle(invoice, status="Canceled")
    Order.objects.update(amount=Decimal("5.000"))
    row = settle(invoice, began=1, status="Paid")
    assert (row.is_applied, waiting(row)) == (False, [Code.PAID_AFTER_CANCEL])
    params = Attention.objects.get().params
    assert params == {"due": ["5.000", "KWD"], "asked": ["12.345", "KWD"]}


def test_the_newer_invoice_is_deleted_when_the_old_one_is_paid(sadad: Sadad, order: Order) -> None:
    old = checkout(order)
    Invoice.objects.update(state=State.CANCELLED, open_slot=None)
    new = checkout(order)
    sadad.pay(old)
    sadad.deliver()
    assert fresh(old).is_applied
    assert fresh(new).state == State.CANCELLED
    assert sadad.control.invoice(new.sadad_id)["deleted"] is True
    assert fresh(order).status == "paid"


def test_deleting_the_newer_invoice_is_left_to_reconcile_when_sadad_is_away(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    old = checkout(order)
    Invoice.objects.update(state=State.CANCELLED, open_slot=None)
    new = checkout(order)
    sadad.pay(old)
    sadad.control.faults.add("Invoice/delete", "error_before")
    sadad.control.faults.add("Invoice/getbyid", "error_before", skip=1)
    assert sadad.deliver() == [200]
    assert fresh(new).state == State.SUPERSEDING
    sadad.control.faults.clear()
    sadad_clock(300)
    reconcile.run()
    assert fresh(new).state == State.CANCELLED


@pytest.mark.parametrize(("word", "runs"), [("Refunded", 0), ("WaitingRefund", 1)])
def test_an_invoice_first_seen_refunded_is_recorded_and_asks(
    sadad: Sadad, order: Order, word: str, runs: int
) -> None:
    invoice = checkout(order)
    part = invoice.amount if word == "Refunded" else Decimal("2.000")
    row = settle(invoice, status=word, refunded_Amount=part)
    assert (row.is_paid, row.refunded_amount) == (True, part)
    assert Refund.objects.get().source == Refund.Source.PANEL
    assert fresh(order).paid_calls == runs
    assert Code.REFUND_SEEN_FIRST in waiting(row) or word == "Refunded"
    assert_replays(row)


def test_a_person_who_counts_a_refunded_payment_closes_its_case(
    sadad: Sadad, order: Order, admin_user: Any
) -> None:
    invoice = settle(checkout(order), status="Refunded", refunded_Amount=0)
    assert waiting(invoice) == [Code.FACT_REFUSED, Code.REFUND_SEEN_FIRST]  # the word and the figure differ
    applying.apply_anyway(invoice.pk, Origin("staff", admin_user))
    assert (waiting(invoice), fresh(order).paid_calls) == ([Code.FACT_REFUSED], 1)


# Hooks


def test_a_hook_that_raises_keeps_the_payment_and_is_called_again(
    sadad: Sadad, order: Order, sadad_clock: Shift, caplog: pytest.LogCaptureFixture
) -> None:
    Order.objects.update(behaviour="raise")
    invoice = checkout(order)
    row = settle(invoice, status="Paid")
    assert (row.is_paid, row.is_applied, row.handled_at) == (True, True, None)
    assert (waiting(row), fresh(order).paid_calls) == ([Code.HOOK_FAILED], 0)
    assert "the shop's own fault" not in caplog.text
    sadad_clock(120)
    reconcile.run()
    assert fresh(invoice).hook_tries == 2
    Order.objects.update(behaviour="")
    sadad_clock(24 * 3600)
    reconcile.run()
    row = fresh(invoice)
    assert (row.handled_at is not None, waiting(row)) == (True, [])
    assert fresh(order).paid_calls == 1
    assert_replays(row)


def test_a_hook_retried_after_it_took_effect_does_nothing(sadad: Sadad, order: Order) -> None:
    invoice = settle(checkout(order), status="Paid")
    applying.retry(invoice.pk, ORIGIN)
    assert fresh(order).paid_calls == 1


def test_an_amount_that_changed_before_the_retry_gives_the_slot_back(sadad: Sadad, order: Order) -> None:
    Order.objects.update(behaviour="raise")
    invoice = settle(checkout(order), status="Paid")
    Order.objects.update(behaviour="", amount=Decimal("1.000"))
    row = applying.retry(invoice.pk, ORIGIN)
    assert (row.is_applied, row.next_hook_at) == (False, None)
    assert Code.AMOUNT_CHANGED in waiting(row)


def test_a_shop_that_cannot_deliver_is_offered_the_refund(sadad: Sadad, order: Order) -> None:
    Order.objects.update(behaviour="cannot")
    invoice = checkout(order)
    sadad.pay(invoice)
    sadad.deliver()
    row = fresh(invoice)
    assert (row.handled_at, row.next_hook_at, waiting(row)) == (None, None, [Code.CANNOT_FULFIL])
    refund(row, reason="sold out")
    assert waiting(row) == []
    assert fresh(row).paid_slot is None
    assert fresh(order).refund_calls == 0  # the order never heard of the payment


def test_a_gone_order_and_an_unregistered_payable_are_tried_again(
    sadad: Sadad, order: Order, order_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, other = checkout(order), checkout(order_of("1.000"))
    Order.objects.filter(pk=order.pk).delete()
    assert waiting(settle(gone, status="Paid")) == [Code.OBJECT_GONE]
    payable = payables.get("order")
    payables.remove("order")
    row = settle(other, status="Paid")
    assert row.object is None
    assert waiting(row) == [Code.NOT_REGISTERED]
    assert row.next_hook_at is not None
    payables._by_name["order"] = payable  # type: ignore[assignment]  # put back what was there
    applying.retry(other.pk, ORIGIN)
    assert waiting(other) == []


def test_an_object_id_that_no_key_can_have_is_gone(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    Invoice.objects.update(object_id="no number")
    assert hooks.paid(fresh(invoice)).code == Code.OBJECT_GONE


def test_a_lock_error_in_the_hook_runs_the_whole_transaction_again(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []
    payable = OrderPayable
    real = payable.paid

    def paid(self: Any, obj: Order, invoice: Invoice) -> None:
        tries.append(1)
        real(self, obj, invoice)
        if len(tries) == 1:
            raise OperationalError("database is locked")

    monkeypatch.setattr(payable, "paid", paid)
    row = settle(checkout(order), status="Paid")
    assert (len(tries), row.handled_at is not None, waiting(row)) == (2, True, [])
    assert fresh(order).paid_calls == 1
    assert row.events.filter(kind="paid").count() == 1


def locked(*args: Any, **values: Any) -> None:
    raise OperationalError("database is locked")


def test_a_hook_that_always_meets_a_lock_does_not_keep_the_payment_out(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OrderPayable, "paid", locked)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    row = settle(checkout(order), status="Paid")
    assert (row.is_applied, row.handled_at, waiting(row)) == (True, None, [Code.HOOK_FAILED])
    assert row.next_hook_at is not None


def test_a_database_that_stays_locked_changes_nothing(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = checkout(order)
    monkeypatch.setattr(attempts, "merge", locked)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with pytest.raises(TryAgain, match="database_busy"):
        settle(invoice, status="Paid")
    assert fresh(invoice).state == State.OPEN


def test_a_signal_receiver_that_raises_disturbs_nobody(sadad: Sadad, order: Order) -> None:
    def fail(**values: Any) -> None:
        raise RuntimeError("receiver")

    signals.invoice_paid.connect(fail)
    try:
        assert settle(checkout(order), status="Paid").handled_at is not None
    finally:
        signals.invoice_paid.disconnect(fail)


# Attempts and links


def test_attempts_are_kept_in_time_order_and_brought_up_to_date(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    sadad.fail(invoice)
    verify(invoice)
    assert [a.status for a in invoice.attempts.all()] == ["Failed"]
    sadad.pay(invoice, "card")
    sadad.deliver()
    assert [a.status for a in invoice.attempts.all()] == ["Failed", "Success"]
    verify(invoice)
    assert invoice.attempts.count() == 2


def test_an_attempt_that_changes_is_updated_and_one_without_ids_is_kept(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    settle(invoice, transactions=[{"id": 7, "status": "Pending"}, {"status": "Failed"}])
    settle(invoice, transactions=[{"id": 7, "status": "Success"}, {"status": "Failed"}])
    assert sorted((a.key[:6], a.status) for a in invoice.attempts.all()) == [
        ("digest", "Failed"),
        ("id:7", "Success"),
    ]


def test_text_that_no_database_can_hold_is_cleaned(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    bad = "a\x00b\ud800c"
    row = settle(
        invoice, status="Paid", transactionID=bad, comment=bad, transactions=[{"id": bad, "status": bad}]
    )
    assert fresh(row).transaction_id == "ab?c"
    assert fresh(row).raw["comment"] == "ab?c"


def test_a_pay_link_on_another_host_is_not_used(sadad: Sadad, order: Order) -> None:
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="url", value="https://evil.example/pay/1")
    invoice = checkout(order)
    assert invoice.pay_url == f"{sadad.emulator.pay_url}/{invoice.sadad_key}"
    assert Attention.objects.get().params == {"host": "evil.example"}


@pytest.mark.parametrize("url", ["http://[broken", "javascript:alert(1)", ""])
def test_a_pay_link_that_is_none_is_built_from_the_key(sadad: Sadad, order: Order, url: str) -> None:
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="url", value=url)
    assert checkout(order).pay_url.startswith(sadad.emulator.pay_url)
    assert waiting() == ([Code.PAY_URL_HOST] if url else [])


def test_a_reply_without_a_usable_key_keeps_the_link_it_had(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    assert settle(invoice, began=1, key="no digits").pay_url == invoice.pay_url


# Verify


def test_an_invoice_that_sadad_does_not_know_is_told_in_words(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    Invoice.objects.update(sadad_id="4711")
    with pytest.raises(Refused, match="not_found"):
        verify(fresh(invoice))


def test_a_row_without_an_id_cannot_be_verified(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    Invoice.objects.update(sadad_id=None)
    with pytest.raises(Refused, match="no_sadad_id"):
        verify(fresh(invoice))


def test_verify_says_try_again_when_sadad_is_away(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    sadad.emulator.stop()
    with pytest.raises(TryAgain):
        verify(invoice)


def test_a_parked_row_is_never_asked_about(sadad: Sadad, order: Order, settings: Any) -> None:
    invoice = checkout(order)
    settings.SADADPAY = {
        **settings.SADADPAY,
        "ACCOUNTS": {"other": settings.SADADPAY["ACCOUNTS"]["default"]},
    }
    with pytest.raises(Refused, match="parked"):
        verify(invoice)
