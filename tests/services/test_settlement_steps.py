"""Settlement, step by step: the facts that a reply leaves, what the ledger says, what a person is told."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from django_sadadpay import checkout
from django_sadadpay.models import Attention, Invoice, InvoiceEvent, Refund
from django_sadadpay.models.invoice import ERASED
from django_sadadpay.services import applying, attention, cases, facts, schedule, settlement, transitions
from django_sadadpay.services.ledger import Origin
from django_sadadpay.services.settlement import Settled
from django_sadadpay.services.snapshots import Snapshot
from django_sadadpay.testing.gateway import Sadad
from tests.services.conftest import fresh, waiting
from tests.services.steps import ledger, stop_clock, watch
from tests.services.test_settlement import snapshot
from tests.shop.models import Order

State, Code = Invoice.State, Attention.Code
WEBHOOK = Origin(InvoiceEvent.Source.WEBHOOK)
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def with_record(shot: Snapshot, **changes: Any) -> Snapshot:
    """The snapshot, with what its reply said changed after it was read."""
    return dataclasses.replace(shot, record=dataclasses.replace(shot.record, **changes))


def settle(invoice: Invoice, shot: Snapshot, origin: Origin = WEBHOOK) -> Invoice:
    return settlement.settle(invoice.pk, shot, origin).invoice


def case_of(invoice: Invoice, code: str) -> Attention:
    return Attention.objects.get(invoice=invoice, code=code)


@pytest.fixture
def invoice(sadad: Sadad, order: Order) -> Invoice:
    """An open invoice of 12.345 KWD."""
    return checkout(order)


# A payment


def test_a_payment_passes_its_points_in_order(invoice: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    passed = watch(monkeypatch, "settle.")
    settle(invoice, snapshot(invoice, status="Paid"))
    names = ("applied", "told", "settled", "committed", "withdrawn")
    assert passed == [f"settle.{name}" for name in names]


def test_where_nothing_was_paid_nothing_is_withdrawn(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = watch(monkeypatch, "settle.")
    settle(invoice, snapshot(invoice))
    assert passed == ["settle.settled", "settle.committed"]


def test_the_facts_of_a_payment_are_those_of_the_reply(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    Invoice.objects.update(error_code="before")
    said = {"transaction_id": "T-1", "payment_gateway_code": "knet", "payment_gateway": "KNET"}
    shot = with_record(snapshot(invoice, status="Paid"), paid_at=MOMENT, **said)
    now = stop_clock(monkeypatch)
    row = fresh(settle(invoice, shot))
    assert (row.state, row.open_slot, row.error_code) == (State.PAID, None, "")
    assert (row.paid_amount, row.paid_at, row.recorded_at) == (invoice.amount, MOMENT, now)
    assert (row.transaction_id, row.payment_method) == ("T-1", "knet")
    assert ledger(row, "paid") == [("paid", "webhook", "", {})]


def test_what_a_reply_does_not_say_of_a_payment_is_filled_in(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    shot = with_record(
        snapshot(invoice, status="Paid"),
        transaction_id="t" * 120,
        payment_gateway="g" * 80,
        payment_gateway_code="",
        paid_at=None,
    )
    now = stop_clock(monkeypatch)
    row = fresh(settle(invoice, shot))
    assert (row.paid_at, row.transaction_id, row.payment_method) == (now, "t" * 100, "g" * 60)


def test_each_ledger_row_says_when_the_reply_was_fetched(invoice: Invoice) -> None:
    shot = snapshot(invoice, status="Paid")
    settle(invoice, shot)
    rows = invoice.events.filter(fetch_began_at=shot.fetch.began, fetch_ended_at=shot.fetch.ended)
    assert [row.kind for row in rows.order_by("pk")] == ["read", "paid"]


def test_a_payment_says_which_attempts_led_to_it(sadad: Sadad, invoice: Invoice) -> None:
    raw = {"id": 1, "status": "Failed"}
    settle(invoice, snapshot(invoice, transactions=[raw]))
    assert invoice.attempts.count() == 1


def test_a_payment_on_a_dead_invoice_of_another_amount_is_named_so(invoice: Invoice, order: Order) -> None:
    Invoice.objects.update(state=State.CANCELLED, open_slot=None)
    Order.objects.update(amount=Decimal("5.000"))
    settle(invoice, snapshot(invoice, status="Paid"))
    assert waiting(invoice) == [Code.PAID_AFTER_CANCEL]


def test_a_payment_on_a_live_invoice_of_another_amount_is_named_so(invoice: Invoice) -> None:
    Order.objects.update(amount=Decimal("5.000"))
    settle(invoice, snapshot(invoice, status="Paid"))
    assert waiting(invoice) == [Code.AMOUNT_CHANGED]


def test_the_reading_decides_once_whether_the_order_is_told(
    invoice: Invoice, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A payment that is seen refunded wholly is recorded, and the order is not told of it."""
    settle(invoice, snapshot(invoice, status="Refunded", refunded_Amount=Decimal("12.345")))
    row = fresh(invoice)
    assert (row.is_paid, row.is_applied, fresh(order).paid_calls) == (True, False, 0)
    assert Code.REFUND_SEEN_FIRST in waiting(row)


def test_the_ledger_says_who_caused_a_payment_to_be_seen(invoice: Invoice, admin_user: User) -> None:
    settle(invoice, snapshot(invoice, status="Paid"), Origin("staff", admin_user))
    assert {row[1:3] for row in ledger(invoice) if row[0] in ("paid", "applied", "handled")} == {
        ("staff", "admin")
    }


def test_the_orders_other_invoice_is_withdrawn_by_whoever_saw_the_payment(
    sadad: Sadad, invoice: Invoice, order: Order, admin_user: User
) -> None:
    Invoice.objects.update(state=State.CANCELLED, open_slot=None)
    newer = checkout(order)
    settle(invoice, snapshot(invoice, status="Paid"), Origin("staff", admin_user))
    assert (fresh(newer).state, fresh(newer).closing) == (State.SUPERSEDING, "paid")
    assert ledger(newer, "withdrawn") == [("withdrawn", "staff", "admin", {"why": "paid"})]


# Identity


def test_a_mismatch_is_told_with_both_sides_and_sadads_word(invoice: Invoice) -> None:
    settle(invoice, snapshot(invoice, status="Paid", amount=Decimal("1.000")))
    said = {
        "what": "amount",
        "ours": "12.345",
        "theirs": "1.000",
        "status": "Paid",
        "id": invoice.sadad_id,
    }
    assert case_of(invoice, Code.MISMATCH).params == said
    assert ledger(invoice, "mismatch") == [("mismatch", "webhook", "", said)]


def test_a_long_word_of_a_mismatch_is_cut(invoice: Invoice) -> None:
    settle(invoice, snapshot(invoice, status="w" * 60, amount=1))
    assert case_of(invoice, Code.MISMATCH).params["status"] == "w" * 40


def test_another_id_is_told_with_both(invoice: Invoice) -> None:
    settle(invoice, snapshot(invoice, id=999999))
    params = case_of(invoice, Code.ID_CONFLICT).params
    assert (params["what"], params["ours"], params["theirs"]) == ("id", invoice.sadad_id, "999999")


def test_an_id_that_another_row_holds_is_told_as_taken(
    invoice: Invoice, order_of: Callable[..., Order]
) -> None:
    second = checkout(order_of("12.345", number="A-2"))
    Invoice.objects.filter(pk=second.pk).update(sadad_id=None)
    settle(second, snapshot(second, id=int(invoice.sadad_id or 0)))
    params = case_of(second, Code.ID_CONFLICT).params
    assert (params["what"], params["ours"], params["theirs"]) == ("id", "–", invoice.sadad_id)


def test_a_row_learns_its_id_and_sadads_reference(invoice: Invoice) -> None:
    shot = with_record(snapshot(invoice), ref_number=f"{invoice.reference}{' ' * 250}")
    Invoice.objects.update(sadad_id=None, ref_number="")
    row = fresh(settle(invoice, shot))
    assert (row.sadad_id, row.ref_number) == (invoice.sadad_id, invoice.reference)
    event = row.events.get(kind="identified", source="webhook")
    assert event.changes == {
        "sadad_id": [None, invoice.sadad_id],
        "ref_number": ["", invoice.reference],
    }
    assert event.fetch_began_at == shot.fetch.began


def test_the_reference_at_sadad_of_an_adopted_invoice_is_cut_to_its_column(invoice: Invoice) -> None:
    """Learnt from an older reply too, of which nothing else is taken."""
    Invoice.objects.update(made_from="link", ref_number="r" * 200, sadad_id=None)
    row = fresh(settle(invoice, with_record(snapshot(invoice, -3600), ref_number="r" * 300)))
    assert (row.sadad_id, row.ref_number) == (invoice.sadad_id, "r" * 200)


def test_what_is_not_believed_is_looked_at_again_all_the_same(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    Invoice.objects.update(next_check_at=None)
    shot = snapshot(invoice, amount=1)
    now = stop_clock(monkeypatch)
    settled = settlement.settle(invoice.pk, shot, WEBHOOK)
    assert settled == Settled(invoice, stale=False)
    assert fresh(invoice).next_check_at == now + 2 * schedule.MINUTE
    assert fresh(invoice).fetch_began_at != shot.fetch.began


# What was refunded


def test_growth_of_what_was_refunded_is_one_ledger_row(invoice: Invoice) -> None:
    settle(invoice, snapshot(invoice, status="Paid"))
    for began in (1, 2):
        settle(invoice, snapshot(invoice, began, status="Paid", refunded_Amount=1))
    (event,) = invoice.events.filter(kind="refunded")
    assert event.changes == {"refunded_amount": ["0.000", "1.000"]}
    assert Refund.objects.get(source="panel").amount == Decimal("1.000")
    assert ledger(invoice, "refund_panel")[0][1] == "webhook"


def test_all_that_was_paid_may_have_been_refunded(invoice: Invoice) -> None:
    settle(invoice, snapshot(invoice, status="Paid"))
    row = settle(invoice, snapshot(invoice, 1, status="Refunded", refunded_Amount=Decimal("12.345")))
    assert (row.refunded_amount, waiting(row)) == (Decimal("12.345"), [])
    assert ledger(row, "fact_refused") == []


def test_a_figure_that_cannot_be_is_told_and_written_down(invoice: Invoice) -> None:
    settle(invoice, snapshot(invoice, status="Paid"))
    row = settle(invoice, snapshot(invoice, 1, status="Paid", refunded_Amount=Decimal("12.346")))
    said = {"what": "refunded", "theirs": "12.346"}
    assert case_of(row, Code.FACT_REFUSED).params == said
    assert ledger(row, "fact_refused") == [("fact_refused", "webhook", "", said)]
    assert row.refunded_amount == 0


def test_an_endless_figure_is_cut(invoice: Invoice) -> None:
    settle(invoice, snapshot(invoice, status="Paid"))
    endless = Decimal("13." + "1" * 80)
    row = settle(invoice, with_record(snapshot(invoice, 1, status="Paid"), refunded_amount=endless))
    assert case_of(row, Code.FACT_REFUSED).params["theirs"] == str(endless)[:40]


def test_a_word_that_the_figure_does_not_bear_out_is_told_with_it(invoice: Invoice) -> None:
    settle(invoice, snapshot(invoice, status="Paid"))
    row = settle(invoice, snapshot(invoice, 1, status="Refunded", refunded_Amount=1))
    assert case_of(row, Code.FACT_REFUSED).params == {"what": "refunded", "theirs": "1 (Refunded)"}
    assert row.refunded_amount == Decimal("1.000")


def test_a_long_word_beside_a_figure_is_cut(invoice: Invoice) -> None:
    settle(invoice, snapshot(invoice, status="Paid"))
    word = "Ref" + " " * 60 + "unded"
    row = settle(invoice, snapshot(invoice, 1, status=word, refunded_Amount=1))
    assert case_of(row, Code.FACT_REFUSED).params["theirs"] == f"1 ({word[:40]})"


def test_a_figure_on_an_unpaid_invoice_cannot_be(invoice: Invoice) -> None:
    row = settle(invoice, snapshot(invoice, refunded_Amount=1))
    assert (row.state, waiting(row)) == (State.OPEN, [Code.FACT_REFUSED])


# What may be different each time


def test_the_newest_reply_is_kept_as_it_was_said(invoice: Invoice) -> None:
    shot = with_record(snapshot(invoice, 1), status="unpaid", raw={"status": "a\x00b"})
    row = fresh(settle(invoice, shot))
    assert (row.status_text, row.raw) == ("unpaid", {"status": "ab"})
    assert (row.fetch_began_at, row.fetch_ended_at) == (shot.fetch.began, shot.fetch.ended)


def test_long_words_are_cut_to_their_columns(invoice: Invoice) -> None:
    Invoice.objects.update(made_from="link", ref_number="r" * 200)
    shot = with_record(snapshot(invoice, 1), status="s" * 60, ref_number="r" * 300)
    row = fresh(settle(invoice, shot))
    assert (row.status_text, row.ref_number) == ("s" * 40, "r" * 200)


def test_sadads_reference_is_taken_over_as_it_was_said(invoice: Invoice) -> None:
    Invoice.objects.update(ref_number="")
    assert fresh(settle(invoice, snapshot(invoice, 1))).ref_number == invoice.reference


def test_of_an_erased_person_no_reply_is_kept(invoice: Invoice) -> None:
    Invoice.objects.update(request=ERASED, raw=None)
    row = fresh(settle(invoice, snapshot(invoice, 1)))
    assert row.raw is None


def test_a_new_key_gives_a_new_link_from_the_newest_reply_alone(invoice: Invoice) -> None:
    Invoice.objects.update(pay_url="", sadad_key="")
    settle(invoice, snapshot(invoice, -3600))
    assert fresh(invoice).pay_url == ""
    settle(invoice, snapshot(invoice, 1))
    assert fresh(invoice).pay_url == invoice.pay_url != ""


def test_a_link_elsewhere_is_not_taken_and_told(invoice: Invoice) -> None:
    Invoice.objects.update(pay_url="", sadad_key="")
    row = settle(invoice, with_record(snapshot(invoice, 1), url="https://elsewhere.example/pay/1"))
    assert (case_of(row, Code.PAY_URL_HOST).params, row.pay_url) == (
        {"host": "elsewhere.example"},
        invoice.pay_url,
    )


def test_a_reply_asked_for_at_the_moment_the_last_one_ended_is_not_newer(invoice: Invoice) -> None:
    first = snapshot(invoice, 1)
    settle(invoice, first)
    begun = {"began": first.fetch.ended, "ended": first.fetch.ended + timedelta(seconds=1)}
    second = dataclasses.replace(snapshot(invoice), fetch=dataclasses.replace(first.fetch, **begun))
    assert settlement.settle(invoice.pk, second, WEBHOOK).stale
    later = dataclasses.replace(second.fetch, began=first.fetch.ended + timedelta(milliseconds=1))
    assert not settlement.settle(invoice.pk, dataclasses.replace(second, fetch=later), WEBHOOK).stale


def test_the_first_reply_is_always_the_newest(invoice: Invoice) -> None:
    Invoice.objects.update(fetch_ended_at=None)
    assert not settlement.settle(invoice.pk, snapshot(invoice, -3600), WEBHOOK).stale


# Doubts


def test_a_doubt_is_raised_asked_about_and_laid_to_rest(invoice: Invoice) -> None:
    settle(invoice, snapshot(invoice, status="Paid"))
    rows = [settle(invoice, snapshot(invoice, began)) for began in (1, 2, 3)]
    row = rows[-1]
    assert row.doubt == {"what": "paid", "asked": True}
    assert case_of(row, Code.FACTS_FELL).params == {"what": "paid"}
    assert ledger(row, "doubt") == [("doubt", "webhook", "", {"what": "paid"})]
    row = settle(invoice, snapshot(invoice, 4, status="Paid"))
    assert (row.doubt, waiting(row)) == (None, [])


def test_a_figure_that_falls_is_a_doubt_of_its_own(invoice: Invoice) -> None:
    settle(invoice, snapshot(invoice, status="Paid"))
    settle(invoice, snapshot(invoice, 1, status="Paid", refunded_Amount=2))
    row = settle(invoice, snapshot(invoice, 2, status="Paid", refunded_Amount=1))
    assert (row.doubt, row.refunded_amount) == ({"what": "refunded"}, Decimal("2.000"))
    row = settle(invoice, snapshot(invoice, 3, status="Paid", refunded_Amount=2))
    assert row.doubt is None


def test_where_nothing_was_doubted_nothing_is_laid_to_rest(invoice: Invoice) -> None:
    settle(invoice, snapshot(invoice, status="Paid"))
    settle(invoice, snapshot(invoice, 1, status="Paid"))
    assert ledger(invoice, "doubt") == []


def test_an_unpaid_invoice_has_nothing_to_fall_from(invoice: Invoice) -> None:
    row = settle(invoice, snapshot(invoice, 1))
    assert row.doubt is None


def test_an_unknown_word_on_a_paid_invoice_is_no_fall(invoice: Invoice) -> None:
    settle(invoice, snapshot(invoice, status="Paid"))
    row = settle(invoice, snapshot(invoice, 1, status="Frozen"))
    assert (row.doubt, waiting(row)) == (None, [Code.UNKNOWN_STATUS])


def test_an_older_reply_raises_no_doubt(invoice: Invoice) -> None:
    settle(invoice, snapshot(invoice, 60, status="Paid"))
    assert settle(invoice, snapshot(invoice)).doubt is None


# States and cases


def test_an_unknown_word_is_told_as_it_was_said(invoice: Invoice) -> None:
    row = settle(invoice, snapshot(invoice, 1, status="Frozen" + "!" * 60))
    assert case_of(row, Code.UNKNOWN_STATUS).params == {"status": ("Frozen" + "!" * 60)[:40]}
    assert row.state == State.OPEN


def test_an_older_reply_ends_nothing(invoice: Invoice) -> None:
    settle(invoice, snapshot(invoice, 60))
    assert settle(invoice, snapshot(invoice, status="Canceled")).state == State.OPEN


def test_a_paid_invoice_is_not_ended_by_a_word(invoice: Invoice) -> None:
    settle(invoice, snapshot(invoice, status="Paid"))
    row = settle(invoice, snapshot(invoice, 1, status="Canceled"))
    assert (row.state, ledger(row, "cancelled")) == (State.PAID, [])


def test_the_end_of_an_invoice_says_what_ended_it(invoice: Invoice, admin_user: User) -> None:
    row = settle(invoice, snapshot(invoice, 1, status="Canceled"), Origin("staff", admin_user))
    assert row.state == State.CANCELLED
    assert ledger(row, "cancelled") == [("cancelled", "staff", "admin", {})]


@pytest.mark.parametrize(
    ("code", "cured"),
    [
        (Code.MISMATCH, True),
        (Code.UNKNOWN_STATUS, True),
        (Code.FACTS_FELL, True),
        (Code.FACT_REFUSED, True),
        (Code.INVOICE_NOT_FOUND, True),
        (Code.ID_CONFLICT, False),
        (Code.AMOUNT_CHANGED, False),
    ],
)
def test_which_cases_close_by_themselves_once_both_sides_agree(
    invoice: Invoice, order_of: Callable[..., Order], code: str, cured: bool
) -> None:
    other = checkout(order_of("1.000", number="A-2"))
    settle(invoice, snapshot(invoice, status="Paid"))
    for row in (invoice, other):
        params: dict[str, Any] = {"id": row.sadad_id} if code == Code.MISMATCH else {}
        attention.ask(code, MOMENT, row, invoice=row, **params)
    settle(invoice, snapshot(invoice, 1, status="Paid"))
    case = case_of(invoice, code)
    assert case.resolution == ("both sides agree" if cured else "")
    assert (case.resolved_at is not None) is cured
    assert waiting(other) == [code]


def test_nothing_is_cured_by_a_word_that_nobody_knows(invoice: Invoice) -> None:
    attention.ask(Code.INVOICE_NOT_FOUND, MOMENT, invoice, invoice=invoice)
    settle(invoice, snapshot(invoice, 1, status="Frozen"))
    assert waiting(invoice) == [Code.INVOICE_NOT_FOUND, Code.UNKNOWN_STATUS]


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_mismatch_seen_on_another_id_stays_until_a_person_looked(invoice: Invoice, elsewhere: bool) -> None:
    there = "999" if elsewhere else invoice.sadad_id
    attention.ask(Code.MISMATCH, MOMENT, invoice, invoice=invoice, id=there)
    settle(invoice, snapshot(invoice, 1))
    assert waiting(invoice) == ([Code.MISMATCH] if elsewhere else [])


def test_a_mismatch_on_another_id_that_a_person_closed_is_not_in_the_way(
    invoice: Invoice, admin_user: User
) -> None:
    attention.ask(Code.MISMATCH, MOMENT, invoice, invoice=invoice, id="999")
    cases.act(case_of(invoice, Code.MISMATCH), "dismiss", by=admin_user)
    attention.ask(Code.MISMATCH, MOMENT, invoice, invoice=invoice, id=invoice.sadad_id)
    settle(invoice, snapshot(invoice, 1))
    assert waiting(invoice) == []


def test_a_mismatch_closes_though_another_case_stays_open(invoice: Invoice) -> None:
    attention.ask(Code.MISMATCH, MOMENT, invoice, invoice=invoice, id=invoice.sadad_id)
    attention.ask(Code.AMOUNT_CHANGED, MOMENT, invoice, invoice=invoice)
    settle(invoice, snapshot(invoice, 1))
    assert waiting(invoice) == [Code.AMOUNT_CHANGED]


def test_an_older_reply_lays_no_doubt_to_rest(invoice: Invoice) -> None:
    settle(invoice, snapshot(invoice, 60, status="Paid"))
    attention.ask(Code.FACTS_FELL, MOMENT, invoice, invoice=invoice)
    settle(invoice, snapshot(invoice, status="Paid"))
    assert waiting(invoice) == [Code.FACTS_FELL]


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({"refunded_Amount": 1}, []),
        ({"refunded_Amount": Decimal("12.345")}, []),
        ({"refunded_Amount": None}, [Code.FACT_REFUSED]),
        ({"refunded_Amount": Decimal("12.346")}, [Code.FACT_REFUSED]),
        ({"refunded_Amount": 1, "status": "Refunded"}, [Code.FACT_REFUSED]),
        ({"refunded_Amount": Decimal("12.345"), "status": "Refunded"}, []),
    ],
)
def test_a_refused_figure_is_cured_by_one_that_can_be(
    invoice: Invoice, changes: dict[str, Any], left: list[str]
) -> None:
    settle(invoice, snapshot(invoice, status="Paid"))
    settle(invoice, snapshot(invoice, 1, status="Paid", refunded_Amount=99))
    row = settle(invoice, snapshot(invoice, 2, **{"status": "Paid", **changes}))
    assert waiting(row) == left


def test_a_settled_invoice_is_due_again_when_its_state_says(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    shot = snapshot(invoice, status="Paid")
    now = stop_clock(monkeypatch)
    row = settle(invoice, shot)
    assert fresh(invoice).next_check_at == row.next_check_at == now + 6 * schedule.HOUR


def test_a_payment_that_was_applied_is_given_on_to_those_who_apply_it(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[Any, ...]] = []
    monkeypatch.setattr(applying, "apply_new", lambda *args, **options: given.append((args, options)))
    shot = snapshot(invoice, status="Paid")
    now = stop_clock(monkeypatch)
    settle(invoice, shot)
    (((row, reading, origin, when), options),) = given
    assert (row, reading.word, origin, when) == (invoice, "paid", WEBHOOK, now)
    assert options == {"dead_before": invoice.state in transitions.DEAD}


def test_customers_data_in_a_reply_is_not_shown_by_who_logs_a_change(invoice: Invoice) -> None:
    shot = with_record(snapshot(invoice, 1), raw={"customer_Name": "Noor"})
    case = settlement._Case(
        invoice=invoice,
        record=shot.record,
        reading=facts.read(invoice, shot.record),
        snapshot=shot,
        origin=WEBHOOK,
        now=MOMENT,
        fresh=True,
    )
    assert "Noor" not in repr(case)
