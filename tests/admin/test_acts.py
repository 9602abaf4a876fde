"""Verify, cancel, the cases and the inbox: what staff can do besides refunding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from django_sadadpay import checkout, refund
from django_sadadpay.gateway.errors import Unavailable
from django_sadadpay.models import Attention, GatewayToken, Invoice, Mark, Refund, WebhookEvent
from django_sadadpay.services import cases, clock, reconcile, transactions
from django_sadadpay.services.errors import TryAgain
from django_sadadpay.testing.factories import InvoiceFactory
from django_sadadpay.testing.gateway import Sadad
from tests.admin.conftest import StaffMaker, make_order, pay, text, told, url
from tests.shop.models import Order

pytestmark = pytest.mark.django_db(transaction=True)
State = Invoice.State


def fresh(row: Any) -> Any:
    return type(row)._base_manager.get(pk=row.pk)


# Verify


def test_verify_records_a_payment_whose_webhook_never_came(
    sadad: Sadad, open_invoice: Invoice, staff: StaffMaker
) -> None:
    sadad.pay(open_invoice)
    client = staff("verify_invoice")
    answer = client.post(url("invoice", "verify", open_invoice.pk))
    assert answer["Location"] == url("invoice", "change", open_invoice.pk)
    assert told(answer) == [("success", "Sadad was asked; what it says is shown below.")]
    assert fresh(open_invoice).state == State.PAID
    assert Order.objects.get().status == "paid"
    ((message,),) = LogEntry.objects.values_list("change_message")
    assert (
        LogEntry.objects.get().get_change_message()
        == "Changed state, Sadad's status, paid (KWD) and order told."
    )
    assert "Changed state" not in message  # kept as data, so that each reader sees it in their language
    assert fresh(open_invoice).events.filter(by_name="staff0", kind="paid").exists()


def test_verify_that_finds_nothing_new_changes_nothing(open_invoice: Invoice, boss: Client) -> None:
    boss.post(url("invoice", "verify", open_invoice.pk))
    assert LogEntry.objects.get().get_change_message() == "No fields changed."


@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "http_500"])
def test_a_gateway_that_fails_is_a_message(
    sadad: Sadad, open_invoice: Invoice, boss: Client, fault: str
) -> None:
    kinds = sadad.control.faults
    kinds.add("Invoice/getbyid", "error_before" if fault == "http_500" else fault)
    answer = boss.post(url("invoice", "verify", open_invoice.pk))
    ((level, sentence),) = told(answer)
    assert (level, answer.status_code) == ("error", 302)
    assert "cannot be reached" in sentence


def test_a_gateway_error_that_a_service_lets_through_is_a_message(
    open_invoice: Invoice, boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise Unavailable("Invoice/getbyid")

    monkeypatch.setattr("django_sadadpay.admin.invoices.verify", fail)
    ((level, sentence),) = told(boss.post(url("invoice", "verify", open_invoice.pk)))
    assert level == "error"
    assert "cannot be reached" in sentence


# Cancel


def test_cancel_asks_and_then_cancels(sadad: Sadad, open_invoice: Invoice, staff: StaffMaker) -> None:
    client = staff("change_invoice")
    page = url("invoice", "cancel", open_invoice.pk)
    asked = client.get(page)
    assert "Cancel the invoice of order A-1?" in text(asked)
    assert sadad.calls("Invoice/delete") == []
    answer = client.post(page)
    assert told(answer) == [("success", "The invoice was cancelled at Sadad.")]
    assert fresh(open_invoice).state == State.CANCELLED
    assert Order.objects.get().status == "cancelled"
    assert LogEntry.objects.get().get_change_message().startswith("Changed state")


def test_a_payment_that_was_faster_stays(sadad: Sadad, open_invoice: Invoice, boss: Client) -> None:
    sadad.pay(open_invoice)
    answer = boss.post(url("invoice", "cancel", open_invoice.pk))
    assert told(answer) == [("error", "This order is already paid.")]
    assert fresh(open_invoice).state == State.PAID


def test_only_an_open_invoice_is_cancelled(paid_invoice: Invoice, boss: Client) -> None:
    page = url("invoice", "cancel", paid_invoice.pk)
    assert told(boss.get(page)) == [("error", "Only an open invoice can be cancelled.")]
    assert [level for level, _ in told(boss.post(page))] == ["error"]
    assert fresh(paid_invoice).state == State.PAID


# Cases


def paid_with(behaviour: str, sadad: Sadad) -> Invoice:
    invoice = checkout(make_order(behaviour=behaviour))
    return pay(sadad, invoice)


def act(client: Client, case: Attention, action: str, **values: str) -> Any:
    page = url("attention", "act", case.pk, action)
    assert client.get(page).status_code == 200
    answer = client.post(page, values)
    assert answer.status_code == 302
    return answer


def test_a_failed_hook_is_shown_tried_again_and_gone(sadad: Sadad, staff: StaffMaker) -> None:
    client = staff("change_attention")
    invoice = paid_with("raise", sadad)
    case = Attention.objects.get()
    page = text(client.get(url("attention")))
    assert "Paid, but telling the order failed (RuntimeError). It is tried again by itself." in page
    assert "Try again" in page
    assert "See what resolves it" in text(client.get(url("invoice", "change", invoice.pk)))

    answer = act(client, case, "retry")
    assert answer["Location"] == url("attention", "change", case.pk)
    assert told(answer)[0][0] == "warning"
    assert LogEntry.objects.get().get_change_message() == "No fields changed."

    Order.objects.update(behaviour="")
    answer = act(client, case, "retry")
    assert answer["Location"] == url("attention")
    assert told(answer) == [("success", "The order was told")]
    assert Order.objects.get().paid_calls == 1
    assert "Try again" not in text(client.get(url("attention")))
    assert "The order was told" in text(client.get(url("attention") + "?status=closed"))
    assert "telling the order failed" in text(client.get(url("attention") + "?status=all"))
    assert LogEntry.objects.first().get_change_message() == "Changed resolution."  # type: ignore[union-attr]  # there is one


def test_a_case_is_dismissed_with_a_note(sadad: Sadad, boss: Client) -> None:
    paid_with("cannot", sadad)
    case = Attention.objects.get()
    assert "sold out" in text(boss.get(url("attention", "change", case.pk)))
    answer = act(boss, case, "dismiss", note="called the buyer")
    assert told(answer) == [("success", "Dealt with by a person: called the buyer")]
    assert (fresh(case).by_name, fresh(case).is_open) == ("boss", False)
    assert "Dealt with by a person: called the buyer" in text(boss.get(url("attention", "change", case.pk)))


def test_a_note_that_is_too_long_is_marked(sadad: Sadad, boss: Client) -> None:
    paid_with("cannot", sadad)
    case = Attention.objects.get()
    answer = boss.post(url("attention", "act", case.pk, "dismiss"), {"note": "x" * 201})
    assert "at most 200 characters" in text(answer)
    assert fresh(case).is_open


def test_a_payment_is_counted_all_the_same(sadad: Sadad, boss: Client) -> None:
    invoice = checkout(make_order())
    Order.objects.update(amount="20")
    pay(sadad, invoice)
    case = Attention.objects.get()
    assert "20.000 KWD instead of 12.345 KWD" in text(boss.get(url("attention")))
    assert told(act(boss, case, "apply"))[0][0] == "success"
    assert Order.objects.get().paid_calls == 1


def test_what_cannot_be_fulfilled_leads_to_the_refund_page(sadad: Sadad, boss: Client) -> None:
    invoice = paid_with("cannot", sadad)
    assert url("invoice", "refund", invoice.pk) in boss.get(url("attention")).content.decode()
    assert boss.get(url("attention", "act", Attention.objects.get().pk, "refund")).status_code == 404


@pytest.mark.parametrize(
    ("action", "state"),
    [("happened", Refund.State.DONE), ("did_not_happen", Refund.State.DID_NOT_HAPPEN)],
)
def test_a_person_decides_what_became_of_a_refund(
    sadad: Sadad,
    sadad_clock: Callable[[float], None],
    paid_invoice: Invoice,
    boss: Client,
    action: str,
    state: str,
) -> None:
    sadad.control.faults.add("Refund/insert", "cut_before", times=1)
    row = refund(paid_invoice, "1", reason="x")
    assert row.state in (Refund.State.UNKNOWN, Refund.State.REFUSED)
    Refund.objects.filter(pk=row.pk).update(
        state=Refund.State.UNKNOWN, in_flight_slot=paid_invoice.pk, finished_at=None
    )
    sadad_clock(80 * 3600)
    Refund.objects.update(next_check_at=row.created_at)
    reconcile.run()
    case = Attention.objects.get(code="refund_unknown")
    page = text(boss.get(url("attention")))
    assert "The refund happened" in page
    assert "The refund did not happen" in page
    act(boss, case, action)
    assert (fresh(row).state, fresh(row).decided_by_name) == (state, "boss")
    assert "decided by a person" in text(boss.get(url("invoice", "change", paid_invoice.pk)))


def test_a_mismatch_is_verified_and_stays_while_sadad_still_differs(sadad: Sadad, boss: Client) -> None:
    invoice = checkout(make_order())
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="amount", value=99)
    boss.post(url("invoice", "verify", invoice.pk))
    case = Attention.objects.get()
    answer = act(boss, case, "verify")
    assert told(answer)[0][0] == "warning"
    assert fresh(case).is_open
    assert "Differs at Sadad" in text(boss.get(url("invoice", "change", invoice.pk)))
    sadad.control.faults.clear()
    assert told(act(boss, case, "verify")) == [("success", "Both sides agree again")]


def test_refused_keys_are_tried_from_the_list(sadad: Sadad, settings: Any, boss: Client) -> None:
    row = GatewayToken(account="default", environment="sandbox")
    case = Attention.objects.create(
        account=row.account,
        environment=row.environment,
        code="keys_refused",
        params={"account": "default"},
        open_slot="keys",
        created_at=clock.now(),
    )
    page = text(boss.get(url("attention")))
    assert "Sadad refused the keys of account default." in page
    assert "default (sandbox)" in page
    right = settings.SADADPAY
    wrong = {**right["ACCOUNTS"]["default"], "CLIENT_SECRET": "wrong"}
    settings.SADADPAY = {**right, "ACCOUNTS": {"default": wrong}}
    answer = boss.post(url("attention", "act", case.pk, "verify"))
    assert told(answer) == [("error", "Sadad refused the account's keys.")]
    settings.SADADPAY = right
    assert told(act(boss, case, "verify")) == [("success", "Sadad accepts the keys again")]


def test_somebody_was_quicker(sadad: Sadad, boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    paid_with("cannot", sadad)
    case = Attention.objects.get()
    offered = cases.actions

    def quicker(row: Attention) -> tuple[str, ...]:
        found = offered(row)
        Attention.objects.filter(pk=row.pk).update(open_slot=None, resolved_at=clock.now())
        return found

    monkeypatch.setattr(cases, "actions", quicker)
    answer = boss.post(url("attention", "act", case.pk, "dismiss"))
    assert told(answer) == [("error", "Somebody has dealt with this already.")]
    monkeypatch.undo()
    answer = boss.get(url("attention", "act", case.pk, "dismiss"))
    assert told(answer) == [("error", "Somebody has dealt with this already.")]


def test_an_action_that_does_not_exist_is_not_found(boss: Client) -> None:
    assert boss.get(url("attention", "act", 1, "nonsense")).status_code == 404


# Background work


def test_late_background_work_is_said_first(boss: Client, sadad_clock: Callable[[float], None]) -> None:
    assert "Background work has not run" not in text(boss.get(url("attention")))
    InvoiceFactory(next_check_at=clock.now())
    Mark.objects.create(name="reconcile", at=clock.now())
    sadad_clock(20 * 60 + 1)
    page = text(boss.get(url("attention")))
    assert "Background work has not run for 20 minutes" in page
    assert page.index("Background work has not run") < page.index("Background work last ran")


# The inbox


def test_a_dead_call_is_tried_again(sadad: Sadad, open_invoice: Invoice, boss: Client) -> None:
    sadad.pay(open_invoice)
    event = WebhookEvent.objects.create(
        account="default",
        environment="sandbox",
        sadad_id=open_invoice.sadad_id or "",
        state=WebhookEvent.State.DEAD,
        error_code="unknown_id",
        received_at=clock.now(),
    )
    page = boss.get(url("webhookevent", "change", event.pk))
    assert "Sadad does not know its invoice" in text(page)
    assert url("webhookevent", "retry", event.pk) in page.content.decode()
    answer = boss.post(url("webhookevent", "retry", event.pk))
    assert told(answer) == [("success", "handled")]
    assert fresh(open_invoice).state == State.PAID
    after = boss.get(url("webhookevent", "change", event.pk))
    assert url("webhookevent", "retry", event.pk) not in after.content.decode()
    assert open_invoice.shop_reference in text(after)


def test_a_call_that_still_cannot_be_handled_says_why(
    sadad: Sadad, open_invoice: Invoice, boss: Client
) -> None:
    sadad.control.faults.add("Invoice/getbyid", "cut_before")
    event = WebhookEvent.objects.create(
        account="default",
        environment="sandbox",
        sadad_id=open_invoice.sadad_id or "",
        received_at=clock.now(),
    )
    answer = boss.post(url("webhookevent", "retry", event.pk))
    ((level, sentence),) = told(answer)
    assert level == "warning"
    assert sentence.startswith("waiting: ")


def test_a_locked_database_is_a_message(
    open_invoice: Invoice, boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = WebhookEvent.objects.create(
        account="default",
        environment="sandbox",
        sadad_id=open_invoice.sadad_id or "",
        received_at=clock.now(),
    )

    def locked(_block: object) -> None:
        raise TryAgain("database_busy")

    monkeypatch.setattr(transactions, "run", locked)
    answer = boss.post(url("webhookevent", "retry", event.pk))
    assert (answer.status_code, told(answer)[0][0]) == (302, "error")
    assert not LogEntry.objects.exists()


def test_a_call_that_names_nothing_cannot_be_tried_again(boss: Client) -> None:
    event = WebhookEvent.objects.create(
        account="default",
        environment="sandbox",
        state=WebhookEvent.State.DEAD,
        error_code="names_nothing",
        received_at=clock.now(),
    )
    case = Attention.objects.create(
        account="default",
        environment="sandbox",
        code="event_names_nothing",
        open_slot="e",
        event=event,
        created_at=clock.now(),
    )
    page = text(boss.get(url("webhookevent", "change", event.pk)))
    assert "It names no invoice" in page
    assert "Try again" not in page
    listed = boss.get(url("attention")).content.decode()
    assert url("webhookevent", "change", event.pk) in listed
    assert url("attention", "act", case.pk, "dismiss") in listed
