"""Refunds, step by step: what each one stores, when the row is looked at next, and what the ledger says."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError

from django_sadadpay import checkout, refund
from django_sadadpay.gateway.client import WARM_SECONDS
from django_sadadpay.gateway.errors import OutcomeUnknown, Unavailable
from django_sadadpay.gateway.resources import RefundCalls
from django_sadadpay.models import Attention, Invoice, Refund
from django_sadadpay.services import cases, clock, keys, reconcile, refunds, schedule, transactions
from django_sadadpay.services.errors import Refused
from django_sadadpay.services.ledger import Origin
from django_sadadpay.testing.gateway import Sadad
from tests.services.conftest import fresh, waiting
from tests.services.steps import ledger, stop_clock, watch
from tests.shop.models import Order

State, Code = Refund.State, Attention.Code
Shift = Callable[[float], None]
ORIGIN = Origin("reconcile")
HOUR = 3600


@pytest.fixture
def paid(sadad: Sadad, order: Order) -> Invoice:
    """A paid invoice of 12.345 KWD whose order was told."""
    return pay(sadad, order)


def pay(sadad: Sadad, order: Order) -> Invoice:
    invoice = checkout(order)
    sadad.pay(invoice)
    sadad.deliver()
    return Invoice.objects.get(pk=invoice.pk)


def amounts_sent(sadad: Sadad) -> list[str]:
    log = [c for c in sadad.control.log if c.endpoint == "Refund/insert" and c.authenticated]
    return [str(call.body["amount"]) for call in log]


def requested(sadad: Sadad, invoice: Invoice, amount: str = "3.000", **values: Any) -> Refund:
    """A refund that is stored and waits, because Sadad was away."""
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    row = refund(invoice, amount, reason="returned", **values)
    sadad.control.faults.clear()
    assert row.state == State.REQUESTED
    return row


def unknown(sadad: Sadad, invoice: Invoice, amount: str = "3.000") -> Refund:
    sadad.control.faults.add("Refund/insert", "cut_before", times=1)
    row = refund(invoice, amount, reason="returned")
    sadad.control.faults.clear()
    assert row.state == State.UNKNOWN
    return row


def claim(invoice: Invoice, **options: Any) -> Refund | None:
    since = options.pop("since", invoice.created_at)
    return transactions.run(lambda: refunds._claim(invoice.pk, since, ORIGIN, **options))


# The ledger and the points


def test_a_refund_that_works_passes_its_points_in_order(
    sadad: Sadad, paid: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = watch(monkeypatch, "refund.")
    refund(paid, "1.000", reason="returned")
    assert passed == [
        "refund.requested",
        "refund.prepared",
        "refund.claimed",
        "refund.answered",
        "refund.ended",
    ]


def test_the_ledger_tells_each_step_of_a_refund_and_who_asked_for_it(
    sadad: Sadad, paid: Invoice, admin_user: Any
) -> None:
    row = refund(paid, "1", reason="returned", by=admin_user)
    said = {"refund": row.pk, "amount": "1.000"}
    assert ledger(paid, "refund_") == [
        ("refund_requested", "staff", "admin", said),
        ("refund_sending", "staff", "admin", said),
        ("refund_done", "staff", "admin", {**said, "code": "", "found": ""}),
    ]
    assert [event.by for event in paid.events.filter(kind__startswith="refund_")] == [admin_user] * 3


def test_without_a_person_it_is_the_shop_that_asked(sadad: Sadad, paid: Invoice) -> None:
    row = refund(paid, "1.000", reason="returned")
    assert {source for _, source, _, _ in ledger(paid, "refund_")} == {"shop"}
    assert (row.by, row.by_name) == (None, "")


def test_a_person_reads_sadads_growth_as_caused_by_the_refund(
    sadad: Sadad, paid: Invoice, admin_user: Any
) -> None:
    refund(paid, "1.000", reason="returned", by=admin_user)
    assert [source for _, source, _, _ in ledger(paid, "refunded")] == ["staff"]


def test_the_ledger_says_with_which_code_a_refund_became_unknown(sadad: Sadad, paid: Invoice) -> None:
    row = unknown(sadad, paid)
    assert ledger(paid, "refund_unknown") == [
        ("refund_unknown", "shop", "", {"refund": row.pk, "code": "OutcomeUnknown"})
    ]


def test_the_ledger_says_that_a_person_decided(sadad: Sadad, paid: Invoice, admin_user: Any) -> None:
    row = unknown(sadad, paid)
    refunds.decide(row.pk, happened=False, by=admin_user)
    said = {"refund": row.pk, "amount": "3.000", "code": "OutcomeUnknown", "found": "decided"}
    assert ledger(paid, "refund_did") == [("refund_did_not_happen", "staff", "admin", said)]
    assert (fresh(row).decided_by, fresh(row).decided_by_name) == (admin_user, "admin")


def test_what_is_left_after_a_persons_no_is_booked_as_the_panels_by_that_person(
    sadad: Sadad, paid: Invoice, admin_user: Any, sadad_clock: Shift
) -> None:
    row = unknown(sadad, paid)
    sadad.control.refund(paid.sadad_id, "1.000")
    refunds.look_at(row.pk, ORIGIN)
    refunds.decide(row.pk, happened=False, by=admin_user)
    assert [(source, by) for _, source, by, _ in ledger(paid, "refund_panel")] == [("staff", "admin")]


# What is stored


def test_the_row_says_what_was_asked_by_whom_and_where(sadad: Sadad, paid: Invoice, admin_user: Any) -> None:
    row = requested(sadad, paid, "3.000", by=admin_user, key="form-1")
    assert (row.account, row.environment) == (paid.account, paid.environment)
    assert (row.amount, row.reason, row.source) == (Decimal("3.000"), "returned", "shop")
    assert (row.by, row.by_name) == (admin_user, "admin")
    assert paid.created_at < row.created_at <= clock.now()


def test_a_long_reason_is_cut_to_its_column(sadad: Sadad, paid: Invoice) -> None:
    assert refund(paid, "1.000", reason="r" * 300).reason == "r" * 250


def test_a_refund_that_was_just_asked_for_is_due_at_once(
    sadad: Sadad, paid: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refunds, "send_waiting", lambda *args, **options: None)
    row = refund(paid, "1.000", reason="returned")
    assert row.next_check_at == row.created_at


def test_sadads_id_of_the_refund_is_kept(sadad: Sadad, paid: Invoice) -> None:
    sadad.control.settings(refund_id="number")
    row = refund(paid, "1.000", reason="returned")
    assert [str(there["id"]) for there in sadad.control.refunds()] == [row.sadad_refund_id]


def test_a_refund_is_sent_with_its_invoice_and_only_on_a_warm_token(
    sadad: Sadad, paid: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Any, ...]] = []
    real = RefundCalls.insert

    def insert(self: RefundCalls, invoice_id: str, amount: Decimal, **options: Any) -> Any:
        seen.append((invoice_id, amount, options))
        return real(self, invoice_id, amount, **options)

    monkeypatch.setattr(RefundCalls, "insert", insert)
    refund(paid, "1.000", reason="returned")
    assert seen == [(paid.sadad_id, Decimal("1.000"), {"min_token_seconds": WARM_SECONDS})]


# Refused before anything was stored


@pytest.mark.parametrize("amount", ["0", "-1", "x"])
def test_a_bad_amount_names_its_field(sadad: Sadad, paid: Invoice, amount: str) -> None:
    with pytest.raises(Refused) as found:
        refund(paid, amount, reason="a")
    assert (found.value.code, found.value.field) == ("bad_amount", "amount")


def test_the_smallest_amount_is_one_fils(sadad: Sadad, paid: Invoice) -> None:
    assert refund(paid, "0.001", reason="a").state == State.DONE


@pytest.mark.parametrize(("key", "fits"), [("k" * 100, True), ("k" * 101, False), ("a\nb", False)])
def test_a_key_is_a_hundred_printable_characters_at_most(
    sadad: Sadad, paid: Invoice, key: str, fits: bool
) -> None:
    if fits:
        assert refund(paid, "1.000", reason="a", key=key).state == State.DONE
        return
    with pytest.raises(Refused) as found:
        refund(paid, "1.000", reason="a", key=key)
    assert (found.value.code, found.value.field) == ("bad_key", "key")


def test_an_empty_key_is_none(sadad: Sadad, paid: Invoice) -> None:
    first, second = (refund(paid, "1.000", reason="a", key="") for _ in range(2))
    assert first.pk != second.pk
    assert (first.key, second.key) == (None, None)


def test_a_refusal_names_the_invoice_and_the_field_that_is_wrong(
    sadad: Sadad, paid: Invoice, order_of: Callable[..., Order], settings: Any
) -> None:
    refund(paid, "1.000", reason="a", key="k")
    unpaid = checkout(order_of("1.000", number="A-2"))

    def refused(invoice: Invoice, *args: Any, **options: Any) -> tuple[str, str, Invoice | None]:
        with pytest.raises(Refused) as found:
            refund(invoice, *args, reason="a", **options)
        return found.value.code, found.value.field, found.value.invoice

    assert refused(paid, "2.000", key="k") == ("key_used", "key", paid)
    assert refused(paid, "11.346") == ("exceeds_left", "amount", paid)
    assert refused(unpaid, "1.000") == ("not_paid", "", unpaid)
    refund(paid, reason="all of it")
    assert refused(paid, "0.001") == ("nothing_left", "amount", paid)
    settings.SADADPAY = {**settings.SADADPAY, "ACCOUNTS": {"x": settings.SADADPAY["ACCOUNTS"]["default"]}}
    assert refused(paid, "1.000") == ("parked", "", paid)


def test_deciding_twice_names_the_invoice(sadad: Sadad, paid: Invoice, admin_user: Any) -> None:
    row = refund(paid, "1.000", reason="a")
    with pytest.raises(Refused) as found:
        refunds.decide(row.pk, happened=True, by=admin_user)
    assert (found.value.code, found.value.invoice) == ("no_longer_waiting", paid)


def test_all_that_is_left_may_be_refunded_by_its_figure(sadad: Sadad, paid: Invoice) -> None:
    assert refund(paid, "12.345", reason="a").state == State.DONE


# The claim: when a waiting refund may be sent


def test_a_claim_takes_the_only_place_in_flight_and_notes_what_sadad_said_before(
    sadad: Sadad, paid: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    refund(paid, "1.000", reason="a")
    row = requested(sadad, paid)
    now = stop_clock(monkeypatch)
    claimed = claim(paid)
    assert claimed is not None
    stored = fresh(row)
    assert (stored.pk, stored.state, stored.in_flight_slot) == (claimed.pk, State.SENDING, paid.pk)
    assert (stored.refunded_before, stored.sent_at) == (Decimal("1.000"), now)
    assert stored.next_check_at == now + schedule.BUSY


def test_while_one_is_in_flight_the_next_is_not_claimed(sadad: Sadad, paid: Invoice) -> None:
    unknown(sadad, paid)
    second = refund(paid, "4.000", reason="b")
    assert claim(paid) is None
    assert fresh(second).state == State.REQUESTED


def test_the_oldest_that_waits_is_claimed_first(sadad: Sadad, paid: Invoice) -> None:
    rows = [requested(sadad, paid, amount) for amount in ("1.000", "2.000", "3.000")]
    claimed = claim(paid)
    assert claimed is not None
    assert claimed.pk == rows[0].pk


def test_a_refund_that_ended_is_not_claimed_again(sadad: Sadad, paid: Invoice) -> None:
    refund(paid, "1.000", reason="a")
    second = requested(sadad, paid)
    claimed = claim(paid)
    assert claimed is not None
    assert claimed.pk == second.pk


def test_the_refund_of_another_invoice_is_neither_claimed_nor_in_the_way(
    sadad: Sadad, paid: Invoice, order_of: Callable[..., Order]
) -> None:
    other = pay(sadad, order_of("9.000", number="A-2"))
    unknown(sadad, other)
    assert claim(paid) is None
    row = requested(sadad, paid)
    claimed = claim(paid)
    assert claimed is not None
    assert claimed.pk == row.pk


def test_a_reply_asked_for_before_the_claim_began_is_no_ground_to_send(
    sadad: Sadad, paid: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = requested(sadad, paid)
    now = stop_clock(monkeypatch)
    assert claim(paid, since=now) is None
    assert (fresh(row).state, fresh(row).next_check_at) == (State.REQUESTED, now + 2 * schedule.MINUTE)


def test_a_reply_asked_for_at_the_very_moment_is_ground_enough(sadad: Sadad, paid: Invoice) -> None:
    requested(sadad, paid)
    assert claim(paid, since=fresh(paid).fetch_began_at) is not None


def test_an_invoice_that_sadad_was_never_read_for_is_no_ground_to_send(sadad: Sadad, paid: Invoice) -> None:
    row = requested(sadad, paid)
    Invoice.objects.update(fetch_began_at=None)
    assert claim(paid) is None
    assert fresh(row).state == State.REQUESTED


def test_a_mismatch_that_a_person_waved_through_is_still_no_ground_to_send(
    sadad: Sadad, paid: Invoice, admin_user: Any
) -> None:
    """The reply is still not believed, though nobody is asked about it any more."""
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="amount", value=1.0)
    row = refund(paid, "3.000", reason="a")
    for case in Attention.objects.filter(resolved_at=None):
        cases.act(case, "dismiss", by=admin_user)
    refunds.send_waiting(paid.pk, ORIGIN)
    assert (waiting(), fresh(row).state, amounts_sent(sadad)) == ([], State.REQUESTED, [])


def test_the_last_fils_that_was_paid_may_still_be_sent(sadad: Sadad, paid: Invoice) -> None:
    refund(paid, "2.345", reason="a")
    requested(sadad, paid, "10.000")
    claimed = claim(paid)
    assert claimed is not None
    assert claimed.state == State.SENDING


def test_one_fils_more_than_was_paid_is_never_sent_and_a_person_hears_of_it(
    sadad: Sadad, paid: Invoice
) -> None:
    row = requested(sadad, paid, "10.000")
    Invoice.objects.update(refunded_amount=Decimal("2.346"))
    claimed = claim(paid)
    assert claimed is not None
    assert (fresh(row).state, fresh(row).error_code) == (State.REFUSED, "exceeds_left")
    said = {"refund": row.pk, "amount": "10.000", "code": "exceeds_left", "found": ""}
    assert ledger(paid, "refund_refused") == [("refund_refused", "reconcile", "", said)]
    case = Attention.objects.get()
    assert (case.code, case.invoice, case.refund) == (Code.REFUND_REFUSED, paid, row)


def test_who_asked_is_shown_the_refusal_and_nobody_else_is_told(sadad: Sadad, paid: Invoice) -> None:
    row = requested(sadad, paid, "10.000")
    Invoice.objects.update(refunded_amount=Decimal("2.346"))
    claim(paid, asked=row.pk)
    assert (fresh(row).state, waiting()) == (State.REFUSED, [])


def test_after_one_that_could_not_be_sent_the_next_is(
    sadad: Sadad, paid: Invoice, sadad_clock: Shift
) -> None:
    first, second = requested(sadad, paid, "10.000"), requested(sadad, paid, "2.000")
    sadad.control.refund(paid.sadad_id, "5.000")
    refunds.send_waiting(paid.pk, ORIGIN)
    assert [fresh(row).state for row in (first, second)] == [State.REFUSED, State.DONE]
    assert amounts_sent(sadad) == ["2.000"]


def test_several_that_wait_are_sent_in_turn(sadad: Sadad, paid: Invoice) -> None:
    for amount in ("1.000", "2.000", "3.000"):
        requested(sadad, paid, amount)
    refunds.send_waiting(paid.pk, ORIGIN)
    assert amounts_sent(sadad) == ["1.000", "2.000", "3.000"]


def test_after_an_unknown_outcome_nothing_more_is_sent(sadad: Sadad, paid: Invoice) -> None:
    requested(sadad, paid, "1.000")
    second = requested(sadad, paid, "2.000")
    sadad.control.faults.add("Refund/insert", "cut_before", times=1)
    refunds.send_waiting(paid.pk, ORIGIN)
    assert (amounts_sent(sadad), fresh(second).state) == (["1.000"], State.REQUESTED)


def test_a_refused_one_does_not_keep_the_next_from_being_sent(sadad: Sadad, paid: Invoice) -> None:
    first, second = requested(sadad, paid, "1.000"), requested(sadad, paid, "2.000")
    refusal = {"error_key": "VendorBalanceLessThanInvoiceAmount"}
    sadad.control.faults.add("Refund/insert", "refuse", times=1, **refusal)
    refunds.send_waiting(paid.pk, ORIGIN)
    assert [fresh(row).state for row in (first, second)] == [State.REFUSED, State.DONE]


# When it is looked at next


def test_while_sadad_is_away_all_that_waits_is_put_off_and_nothing_else(
    sadad: Sadad, paid: Invoice, order_of: Callable[..., Order], sadad_clock: Shift
) -> None:
    done = refund(paid, "1.000", reason="a")
    other = requested(sadad, pay(sadad, order_of("9.000", number="A-2")))
    rows = [requested(sadad, paid, amount) for amount in ("1.000", "2.000")]
    before = other.next_check_at
    sadad_clock(HOUR + 60)
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    earliest = clock.now()
    refunds.send_waiting(paid.pk, ORIGIN)
    for row in rows:
        due = fresh(row).next_check_at
        assert earliest <= due - 15 * schedule.MINUTE <= clock.now()  # asked for over an hour ago
    assert (fresh(other).next_check_at, fresh(done).next_check_at) == (before, None)


def test_refused_keys_on_the_way_are_noted_at_the_account(
    sadad: Sadad, paid: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[tuple[Any, str]] = []
    monkeypatch.setattr(keys, "note", lambda row, error: noted.append((row, type(error).__name__)))
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    refund(paid, "1.000", reason="a")
    assert noted == [(paid, "Unavailable")]


def test_keys_refused_at_the_insert_are_noted_at_the_account(sadad: Sadad, paid: Invoice) -> None:
    denied = {"error_key": "AccessPermissionDenied", "status": 401}
    sadad.control.faults.add("Refund/insert", "refuse", **denied)
    row = refund(paid, "1.000", reason="a")
    assert (row.state, row.error_code) == (State.REFUSED, "not_sent")
    case = Attention.objects.get(code=Code.ACCESS_DENIED)
    assert (case.account, case.params["endpoint"]) == (paid.account, "Refund/insert")


def test_an_unknown_refund_is_looked_at_a_minute_later(
    sadad: Sadad, paid: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = unknown(sadad, paid)
    Refund.objects.filter(pk=row.pk).update(state=State.SENDING, error_code="", next_check_at=None)
    now = stop_clock(monkeypatch)
    values = {"error_code": "Late"}
    ended = transactions.run(lambda: refunds._end(row.pk, paid.pk, State.UNKNOWN, values, ORIGIN))
    assert (ended.state, ended.error_code) == (State.UNKNOWN, "Late")
    assert fresh(row).next_check_at == now + schedule.MINUTE


def test_a_refund_left_sending_is_given_up_after_its_makers_time_and_not_a_moment_before(
    sadad: Sadad, paid: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = unknown(sadad, paid)
    now = stop_clock(monkeypatch)

    def state_after(age: timedelta) -> str:
        Refund.objects.filter(pk=row.pk).update(state=State.SENDING, sent_at=now - age, error_code="")
        transactions.run(lambda: refunds._abandoned(row.pk, paid.pk, ORIGIN))
        return str(fresh(row).state)

    assert state_after(schedule.BUSY - timedelta(milliseconds=1)) == State.SENDING
    assert state_after(schedule.BUSY) == State.UNKNOWN
    assert fresh(row).error_code == "abandoned"
    assert ledger(paid, "refund_unknown")[-1][1] == "reconcile"


def test_only_one_that_is_being_sent_can_be_abandoned(
    sadad: Sadad, paid: Invoice, monkeypatch: pytest.MonkeyPatch, sadad_clock: Shift
) -> None:
    row = refund(paid, "1.000", reason="a")
    passed = watch(monkeypatch, "refund.abandoned")
    sadad_clock(HOUR)
    transactions.run(lambda: refunds._abandoned(row.pk, paid.pk, ORIGIN))
    refunds.look_at(row.pk, ORIGIN)
    assert (fresh(row).state, passed) == (State.DONE, [])


def test_looking_at_one_that_its_maker_left_passes_its_point(
    sadad: Sadad, paid: Invoice, monkeypatch: pytest.MonkeyPatch, sadad_clock: Shift
) -> None:
    row = unknown(sadad, paid)
    Refund.objects.filter(pk=row.pk).update(state=State.SENDING)
    passed = watch(monkeypatch, "refund.")
    sadad_clock(HOUR)
    refunds.look_at(row.pk, ORIGIN)
    assert (passed, fresh(row).state) == (["refund.abandoned"], State.UNKNOWN)


@pytest.mark.parametrize("away", [False, True])
def test_an_unknown_refund_is_looked_at_ever_less_often_as_it_ages(
    sadad: Sadad, paid: Invoice, sadad_clock: Shift, away: bool
) -> None:
    row = unknown(sadad, paid)
    Refund.objects.filter(pk=row.pk).update(created_at=row.created_at - timedelta(days=3))
    sadad_clock(30 * 60)
    if away:
        sadad.control.faults.add("Invoice/getbyid", "error_before")
    earliest = clock.now()
    with pytest.raises(Unavailable) if away else nullcontext():
        refunds.look_at(row.pk, ORIGIN)
    due = fresh(row).next_check_at
    assert earliest <= due - 5 * schedule.MINUTE <= clock.now()  # by when it was sent, not asked for


def test_one_without_a_time_of_sending_is_reckoned_from_when_it_was_asked_for(
    sadad: Sadad, paid: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = unknown(sadad, paid)
    now = stop_clock(monkeypatch)
    Refund.objects.filter(pk=row.pk).update(sent_at=None, created_at=now - timedelta(minutes=30))
    transactions.run(lambda: refunds._next_look(row.pk, paid.pk, ORIGIN))
    assert fresh(row).next_check_at == now + 5 * schedule.MINUTE


def test_a_refund_that_the_look_resolved_is_not_looked_at_again(
    sadad: Sadad, paid: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    sadad.control.faults.add("Refund/insert", "cut_after")
    row = refund(paid, "3.000", reason="a")
    sadad.control.faults.clear()
    refunds.look_at(row.pk, ORIGIN)
    said = {"refund": row.pk, "amount": "3.000", "code": row.error_code, "found": "looked"}
    assert ledger(paid, "refund_done") == [("refund_done", "reconcile", "", said)]
    assert (fresh(row).state, fresh(row).next_check_at) == (State.DONE, None)


def test_a_look_that_cannot_be_taken_still_books_what_is_known(sadad: Sadad, paid: Invoice) -> None:
    """The figure was read before; the next look fails, and yet the refund is resolved by it."""
    row = unknown(sadad, paid)
    Invoice.objects.filter(pk=paid.pk).update(refunded_amount=Decimal("3.000"))
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    with pytest.raises(Unavailable):
        refunds.look_at(row.pk, ORIGIN)
    assert (fresh(row).state, fresh(row).next_check_at) == (State.DONE, None)
    assert ledger(paid, "refund_done")[0][1] == "reconcile"


# The answer


def test_the_answer_to_one_that_is_no_longer_in_flight_changes_nothing(
    sadad: Sadad, paid: Invoice, admin_user: Any
) -> None:
    row = unknown(sadad, paid)
    refunds.decide(row.pk, happened=False, by=admin_user)
    before = ledger(paid)
    ended = transactions.run(lambda: refunds._end(row.pk, paid.pk, State.DONE, {}, ORIGIN))
    assert (ended.state, ledger(paid)) == (State.DID_NOT_HAPPEN, before)


@pytest.mark.parametrize(("asked", "told"), [(True, []), (False, [Code.REFUND_REFUSED])])
def test_a_refusal_is_told_to_a_person_unless_the_one_who_asked_sees_it(
    sadad: Sadad, paid: Invoice, asked: bool, told: list[str]
) -> None:
    row = requested(sadad, paid)
    assert claim(paid) is not None
    pk = row.pk if asked else None
    values = {"error_code": "SomeKey"}
    transactions.run(lambda: refunds._end(row.pk, paid.pk, State.REFUSED, values, ORIGIN, pk))
    assert (fresh(row).state, fresh(row).error_code, waiting()) == (State.REFUSED, "SomeKey", told)


def test_who_asks_for_a_refund_sees_sadads_refusal_and_nobody_else_is_told(
    sadad: Sadad, paid: Invoice
) -> None:
    sadad.control.balance = "0"
    assert refund(paid, "5.000", reason="a").state == State.REFUSED
    assert waiting() == []


def test_a_refund_that_went_well_is_told_to_nobody(sadad: Sadad, paid: Invoice) -> None:
    requested(sadad, paid)
    refunds.send_waiting(paid.pk, ORIGIN)
    assert waiting() == []


def test_the_end_of_a_refund_books_what_the_panel_did_meanwhile(sadad: Sadad, paid: Invoice) -> None:
    row = requested(sadad, paid)
    assert claim(paid) is not None
    Invoice.objects.filter(pk=paid.pk).update(refunded_amount=Decimal("4.000"))
    transactions.run(lambda: refunds._end(row.pk, paid.pk, State.DONE, {}, ORIGIN))
    assert [(source, said["amount"]) for _, source, _, said in ledger(paid, "refund_panel")] == [
        ("reconcile", "1.000")
    ]


def test_a_process_that_was_stopped_longer_than_that_asks_nobody(sadad: Sadad, paid: Invoice) -> None:
    row = requested(sadad, paid)
    assert refunds._ask(row, time.monotonic() - refunds._SEND_WITHIN - 1) == (
        State.REFUSED,
        {"error_code": "not_sent"},
    )
    assert amounts_sent(sadad) == []


def test_a_long_key_of_sadads_is_cut_to_its_column(
    sadad: Sadad, paid: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    sadad.control.faults.add("Refund/insert", "refuse", error_key="K" * 100)
    assert refund(paid, "1.000", reason="a").error_code == "K" * 80


def test_a_lost_answer_is_stored_under_the_name_of_its_error(
    sadad: Sadad, paid: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(row: Refund) -> Any:
        raise OutcomeUnknown("Refund/insert")

    monkeypatch.setattr(refunds, "_insert", lose)
    row = refund(paid, "1.000", reason="a")
    assert (row.state, row.error_code) == (State.UNKNOWN, "OutcomeUnknown")


def test_a_hook_that_failed_is_called_again_under_the_lock(
    sadad: Sadad, paid: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    Order.objects.update(behaviour="raise_refund")
    row = refund(paid, "1.000", reason="a")
    Order.objects.update(behaviour="")
    now = stop_clock(monkeypatch)
    refunds.retry_hook(row.pk)
    assert (fresh(row).handled_at, Order.objects.get().refund_calls) == (now, 1)


def test_a_busy_database_after_the_row_was_stored_is_no_error_to_who_asked(
    sadad: Sadad, paid: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*args: Any, **options: Any) -> None:
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(refunds, "send_waiting", busy)
    assert refund(paid, "1.000", reason="a").state == State.REQUESTED
    monkeypatch.undo()
    Invoice.objects.update(next_check_at=None)
    reconcile.run()
    assert amounts_sent(sadad) == ["1.000"]
