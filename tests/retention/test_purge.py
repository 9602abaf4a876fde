"""What the purge blanks, what it leaves, and that money does not notice."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, transaction

from django_sadadpay import checkout, refund, verify
from django_sadadpay.models import (
    Attention,
    Customer,
    InstallmentPlan,
    Invoice,
    InvoiceEvent,
    Mark,
    PaymentAttempt,
    Refund,
    Subscription,
    WebhookEvent,
)
from django_sadadpay.models.invoice import ERASED, as_fact, replay
from django_sadadpay.services import clock, inbox, reconcile, retention
from django_sadadpay.services.errors import InsideTransaction
from django_sadadpay.services.personal import Person
from django_sadadpay.services.purge import purge
from django_sadadpay.testing.factories import InvoiceFactory, RefundFactory
from django_sadadpay.testing.gateway import Sadad
from tests.retention.conftest import EMAIL, PHONE, TRACES, another, dump, everything, ledger, old
from tests.views.buying import back, call, fresh, named

pytestmark = pytest.mark.django_db(transaction=True)
_BLANKED = {"Invoice": ("customer", "request", "raw"), "PaymentAttempt": ("raw",), "WebhookEvent": ("body",)}


def run(*arguments: str) -> tuple[list[str], str]:
    """The lines that it printed, and the error that it ended with."""
    out = StringIO()
    try:
        call_command("sadadpay_purge", *arguments, stdout=out)
    except CommandError as error:
        return out.getvalue().splitlines(), str(error)
    return out.getvalue().splitlines(), ""


def event(**values: Any) -> WebhookEvent:
    body = json.dumps({"customerEmail": EMAIL})
    given = {"state": "done", "received_at": clock.now(), "body": body, **values}
    return WebhookEvent.objects.create(account="default", environment="sandbox", **given)


# By age


def test_nothing_of_the_person_is_left_in_any_table(paid: Invoice, aged: Callable[[float], None]) -> None:
    assert all(trace in dump() for trace in TRACES)
    aged(731)
    lines, error = run()
    assert lines == [
        "purge: Invoice 1 blanked",
        "purge: PaymentAttempt 1 blanked",
        "purge: WebhookEvent 1 blanked",
    ]
    assert error == ""
    assert [trace for trace in TRACES if trace in dump()] == []


def test_nothing_else_changes(paid: Invoice, aged: Callable[[float], None]) -> None:
    """No amount, no state, no number, no date; and no row of the ledger, to which one is added."""
    models = (Invoice, PaymentAttempt, WebhookEvent, Refund, Attention)
    before = {model: everything(model, _BLANKED.get(model.__name__, ())) for model in models}
    events = everything(InvoiceEvent)
    aged(731)
    purge()
    assert {model: everything(model, _BLANKED.get(model.__name__, ())) for model in models} == before
    assert everything(InvoiceEvent)[:-1] == events
    row = Invoice.objects.get()
    assert {name: as_fact(getattr(row, name)) for name in Invoice.TRACKED} == replay(row.events.all())


def test_the_ledger_says_that_it_was_done(paid: Invoice, aged: Callable[[float], None]) -> None:
    aged(731)
    purge()
    assert ledger(paid).count("purged") == 1
    row = InvoiceEvent.objects.get(kind="purged")
    assert (row.params, row.changes) == ({"fields": ["customer", "raw", "request"]}, {})
    mark = Mark.objects.get(name="purge")
    assert mark.at is not None
    assert mark.at >= row.at
    assert mark.detail == {"blanked": {"Invoice": 1, "PaymentAttempt": 1, "WebhookEvent": 1}, "kept": 0}


def test_the_second_run_finds_nothing(paid: Invoice, aged: Callable[[float], None]) -> None:
    aged(731)
    purge()
    events = InvoiceEvent.objects.count()
    assert run() == (["purge: nothing blanked"], "")
    assert ledger(paid).count("purged") == 1
    assert Mark.objects.get(name="purge").detail == {"blanked": {}, "kept": 0}
    assert InvoiceEvent.objects.count() == events


@pytest.mark.parametrize(("days", "blanked"), [(729, False), (730, True)])
def test_what_is_younger_stays(
    paid: Invoice, aged: Callable[[float], None], days: int, blanked: bool
) -> None:
    aged(days)
    purge()
    assert Invoice.objects.get().is_erased is blanked


def test_the_setting_says_how_old(paid: Invoice, aged: Callable[[float], None], settings: Any) -> None:
    settings.SADADPAY = {**settings.SADADPAY, "RETENTION_DAYS": 30}
    aged(31)
    purge()
    assert Invoice.objects.get().is_erased


def test_the_command_may_say_how_old(paid: Invoice, aged: Callable[[float], None]) -> None:
    aged(31)
    assert run("--older-than", "32")[0] == ["purge: nothing blanked"]
    assert "purge: Invoice 1 blanked" in run("--older-than", "31")[0]


def test_a_dry_run_says_the_same_and_does_nothing(paid: Invoice, aged: Callable[[float], None]) -> None:
    aged(731)
    before = dump()
    dry, _ = run("--dry-run")
    assert dump() == before
    assert [line.replace("would be blanked", "blanked") for line in dry] == run()[0]


def test_one_account_can_be_named(paid: Invoice, settings: Any, aged: Callable[[float], None]) -> None:
    accounts = settings.SADADPAY["ACCOUNTS"]
    settings.SADADPAY = {**settings.SADADPAY, "ACCOUNTS": {**accounts, "second": accounts["default"]}}
    other = InvoiceFactory(account="second", paid=True)
    aged(731)
    run("--account", "second")
    assert (fresh(other).is_erased, fresh(paid).is_erased) == (True, False)
    run("--account", "default")
    assert fresh(paid).is_erased


def test_an_account_that_is_not_there_is_a_mistake(sadad: Sadad) -> None:
    assert run("--account", "defualt")[1] == "SADADPAY[\"ACCOUNTS\"] has no account 'defualt'"


def test_more_rows_than_one_transaction_takes(sadad: Sadad, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django_sadadpay.services.purge._BATCH", 4)
    InvoiceFactory.create_batch(10, paid=True)
    for row in Invoice.objects.all():
        old(row, 1000)
    assert run() == (["purge: Invoice 10 blanked"], "")


def test_a_row_whose_attempt_alone_still_holds_something(
    paid: Invoice, aged: Callable[[float], None]
) -> None:
    Invoice.objects.update(customer={}, request=ERASED, raw=None)
    aged(731)
    assert "purge: PaymentAttempt 1 blanked" in run()[0]
    assert PaymentAttempt.objects.get().raw == {}


def test_inside_a_transaction_it_is_refused() -> None:
    with transaction.atomic(), pytest.raises(InsideTransaction):
        purge()


def test_a_run_that_dies_has_blanked_and_recorded_what_it_had_committed(
    sadad: Sadad, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django_sadadpay.services import purge as module

    InvoiceFactory.create_batch(3, paid=True)
    for row in Invoice.objects.all():
        old(row, 1000)
    monkeypatch.setattr(module, "_BATCH", 2)
    real, seen = module._blank_invoice, []

    def dies(*args: Any) -> None:
        seen.append(args)
        if len(seen) == 3:
            raise OperationalError("server closed the connection")
        real(*args)

    monkeypatch.setattr(module, "_blank_invoice", dies)
    with pytest.raises(OperationalError):
        purge()
    erased = [row.is_erased for row in Invoice.objects.order_by("pk")]
    assert erased == [True, True, False]
    assert InvoiceEvent.objects.filter(kind="purged").count() == 2


# What is still needed


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"new": True}, "open"),
        ({}, "open"),
        ({"superseding": True}, "open"),
        ({"unknown": True}, "unknown"),
        ({"cancelled": True, "expires_at": "soon"}, "watched"),
        ({"unapplied": True, "next_hook_at": "soon"}, "hook"),
    ],
)
def test_an_invoice_that_still_needs_its_data_is_kept(values: dict[str, Any], why: str) -> None:
    soon = clock.now() + timedelta(hours=1)
    row = InvoiceFactory(**{name: soon if value == "soon" else value for name, value in values.items()})
    old(row, 1000)
    lines, error = run()
    assert lines == ["purge: nothing blanked", f"purge: Invoice 1 kept: {retention.WHY[why]}"]
    assert (error, fresh(row).customer["name"]) == ("", "Test Customer")


@pytest.mark.parametrize("state", ["requested", "sending", "unknown"])
def test_an_invoice_whose_refund_is_on_its_way_is_kept(state: str) -> None:
    row = RefundFactory(**{state: True}).invoice
    old(row, 1000)
    assert run()[0][1] == f"purge: Invoice 1 kept: {retention.WHY['refund']}"


def test_an_invoice_whose_order_is_to_be_told_of_a_refund_is_kept() -> None:
    row = RefundFactory(handled_at=None, next_hook_at=clock.now()).invoice
    old(row, 1000)
    assert run()[0][1] == f"purge: Invoice 1 kept: {retention.WHY['refund']}"


def test_an_invoice_with_an_open_case_is_kept_until_it_is_dealt_with() -> None:
    row = InvoiceFactory(paid=True)
    case = Attention.objects.create(
        account="default",
        environment="sandbox",
        code="paid_twice",
        open_slot="one",
        invoice=row,
        created_at=clock.now(),
    )
    old(row, 1000)
    assert run()[0][1] == f"purge: Invoice 1 kept: {retention.WHY['case']}"
    Attention.objects.filter(pk=case.pk).update(open_slot=None, resolved_at=clock.now())
    assert run()[0] == ["purge: Invoice 1 blanked"]


@pytest.mark.parametrize("state", ["cancelled", "expired", "refused", "lost", "paid"])
def test_what_has_come_to_its_end_is_blanked(state: str) -> None:
    long_ago = clock.now() - timedelta(days=1000)
    row = InvoiceFactory(**{state: True}, created_at=long_ago)
    assert run()[0] == ["purge: Invoice 1 blanked"]
    assert (fresh(row).customer, fresh(row).raw, fresh(row).state) == ({}, None, row.state)


@pytest.mark.parametrize(
    ("state", "kept"),
    [("waiting", True), ("working", True), ("done", False), ("foreign", False), ("merged", False)],
)
def test_a_call_that_is_not_handled_is_kept(state: str, kept: bool) -> None:
    slot = {"waiting_slot": "slot"} if state == "waiting" else {}
    row = event(state=state, sadad_id="7", received_at=clock.now() - timedelta(days=1000), **slot)
    lines, _ = run()
    why = f"purge: WebhookEvent 1 kept: {retention.WHY['inbox']}"
    assert lines == (["purge: nothing blanked", why] if kept else ["purge: WebhookEvent 1 blanked"])
    assert bool(fresh(row).body) is kept


def test_a_dead_call_is_kept_while_its_case_is_open(sadad: Sadad) -> None:
    assert call({"customerEmail": EMAIL}).status_code == 200
    old(WebhookEvent.objects.get(), 1000)
    assert run()[0][1] == f"purge: WebhookEvent 1 kept: {retention.WHY['case']}"
    Attention.objects.update(open_slot=None, resolved_at=clock.now())
    assert run()[0] == ["purge: WebhookEvent 1 blanked"]


# By person


@pytest.mark.parametrize(
    "who",
    [
        EMAIL,
        EMAIL.upper(),
        f"  {EMAIL} ",
        PHONE,
        "0096550000001",
        "965 5000-0001",
        "5000 0001",
        "٥٠٠٠٠٠٠١",
        "A-1",
    ],
)
def test_a_person_is_found_however_they_are_written(
    paid: Invoice, aged: Callable[[float], None], who: str
) -> None:
    aged(1)
    lines, error = run("--person", who)
    assert (lines[0], error) == ("purge: Invoice 1 blanked", "")
    assert [trace for trace in TRACES if trace in dump()] == []


def test_our_own_reference_names_a_person_too(paid: Invoice) -> None:
    assert run("--person", paid.reference)[0][0] == "purge: Invoice 1 blanked"


def test_only_that_person_is_forgotten(paid: Invoice) -> None:
    others = [
        InvoiceFactory(paid=True, customer={"name": "N", "mobile": "", "email": email})
        for email in ("anoor@example.com", "noor@example.com.kw", "x.noor@example.com", "noor@example.org")
    ]
    others += [
        InvoiceFactory(paid=True, customer={"name": "N", "mobile": mobile, "email": ""})
        for mobile in ("+96650000001", "+965150000001", "+96550000010", "500000010001")
    ]
    for who in (EMAIL, PHONE):
        purge(person=who)
    assert [row.reference for row in Invoice.objects.all() if row.is_erased] == [paid.reference]
    assert len(others) == Invoice.objects.count() - 1


def test_a_person_in_a_raw_reply_alone_is_found(sadad: Sadad) -> None:
    row = InvoiceFactory(paid=True, raw={"a": [{"payer": {"mail": f"Noor <{EMAIL}>", "phone": 96550000001}}]})
    by_attempt = InvoiceFactory(paid=True)
    PaymentAttempt.objects.create(invoice=by_attempt, key="id:1", raw={"email": EMAIL})
    assert purge(person=EMAIL).blanked == {"Invoice": 2, "PaymentAttempt": 1}
    assert fresh(row).raw is None
    assert purge(person=PHONE).blanked == {}


def test_calls_for_the_person_s_invoices_are_theirs(paid: Invoice) -> None:
    mine = event(invoice=paid, body='{"x": 1}')
    by_id = event(sadad_id=paid.sadad_id or "", body='{"x": 2}', state="merged")
    loose = event(body=json.dumps({"a": {"b": [EMAIL]}}), state="foreign")
    spoilt = event(body="{" + EMAIL, state="foreign")
    strange = event(body=json.dumps({"email": "sara." + EMAIL, "phone": None}), state="foreign")
    purge(person=EMAIL)
    assert [fresh(row).body for row in (mine, by_id, loose, spoilt)] == [""] * 4
    assert "sara" in fresh(strange).body


def test_what_of_a_person_is_still_needed_is_an_error(paid: Invoice, sadad: Sadad) -> None:
    """Whoever promised to forget somebody must hear that it is not done yet."""
    opened = checkout(another("A-2"))
    waits = event(sadad_id=paid.sadad_id or "", state="waiting", waiting_slot="x", next_try_at=clock.now())
    lines, error = run("--person", EMAIL)
    assert lines == [
        "purge: Invoice 1 blanked",
        "purge: PaymentAttempt 1 blanked",
        "purge: WebhookEvent 1 blanked",
        f"purge: Invoice 1 kept: {retention.WHY['open']}",
        f"purge: WebhookEvent 1 kept: {retention.WHY['inbox']}",
    ]
    assert error == "not everything could be blanked yet; run it again later"
    assert fresh(opened).customer["email"] == EMAIL
    assert inbox.process(waits.pk)
    assert "WebhookEvent 1 blanked" in "".join(run("--person", EMAIL)[0])


def test_a_person_s_age_limit_holds_if_it_is_given(paid: Invoice, aged: Callable[[float], None]) -> None:
    aged(10)
    assert run("--person", EMAIL, "--older-than", "11") == (["purge: nothing blanked"], "")
    assert run("--person", EMAIL, "--older-than", "10")[0][0] == "purge: Invoice 1 blanked"


def test_a_dry_run_for_a_person_counts_each_row_once(paid: Invoice) -> None:
    dry, _ = run("--person", EMAIL, "--dry-run")
    assert [line.replace("would be blanked", "blanked") for line in dry] == run("--person", EMAIL)[0]


@pytest.mark.parametrize("who", ["", "   "])
def test_nobody_is_not_everybody(paid: Invoice, who: str) -> None:
    assert run("--person", who)[1] == "--person must not be empty: that would be everybody"
    with pytest.raises(ValueError, match="a person is"):
        Person.of(" ")


def test_the_person_is_told_nowhere(paid: Invoice, caplog: pytest.LogCaptureFixture) -> None:
    lines, _ = run("--person", EMAIL)
    assert EMAIL not in repr(Person.of(EMAIL)) + "".join(lines) + caplog.text + dump()


# What is mirrored

BUYER = {"customer_name": "Noor Al-Sabah", "customer_mobile": PHONE, "customer_email": EMAIL}


def mirrored(model: Any, state: str, payload: dict[str, str], **values: Any) -> Any:
    gone = state == "deleted"
    row = model(account="default", environment="sandbox", state=state, sadad_id="7", **values)
    row.take(payload)
    row.wanted, row.reply = ("absent" if gone else "present"), {"raw": payload}
    row.save()
    return row


@pytest.mark.parametrize(
    ("model", "payload"),
    [
        (Customer, {"name": "Noor Al-Sabah", "mobile": PHONE, "email": EMAIL, "iban": "KW81"}),
        (InstallmentPlan, BUYER),
        (Subscription, BUYER),
    ],
    ids=["customer", "plan", "subscription"],
)
def test_what_is_gone_at_sadad_is_blanked_and_the_rest_is_not(model: Any, payload: dict[str, str]) -> None:
    row = mirrored(model, "synced", {**payload, "ref_number": "C-1-abcdefgh27"}, synced_at=clock.now())
    name, why = model.__name__, retention.WHY["mirror"]
    assert run("--older-than", "1")[0] == ["purge: nothing blanked"]
    for who in (EMAIL, PHONE, "C-1", "C-1-abcdefgh27"):
        lines, error = run("--person", who)
        assert lines == ["purge: nothing blanked", f"purge: {name} 1 kept: {why}"]
        assert error
    model.objects.filter(pk=row.pk).update(state="deleted", wanted="absent")
    assert run("--older-than", "1")[0] == ["purge: nothing blanked"]
    model.objects.filter(pk=row.pk).update(synced_at=clock.now() - timedelta(days=2))
    assert run("--older-than", "1", "--dry-run")[0] == [f"purge: {name} 1 would be blanked"]
    assert run("--older-than", "1") == ([f"purge: {name} 1 blanked"], "")
    assert [trace for trace in TRACES if trace in dump()] == []
    assert run("--person", "C-1") == (["purge: nothing blanked"], "")


def test_another_customer_at_sadad_stays(sadad: Sadad) -> None:
    payload = {"name": "Sara", "mobile": "+96550010001", "email": "x" + EMAIL, "ref_number": "C-1-abc"}
    row = mirrored(Customer, "deleted", payload)
    for who in (EMAIL, PHONE, "C", "C-1"):
        assert run("--person", who) == (["purge: nothing blanked"], "")
    assert fresh(row).payload == payload


# Afterwards


@pytest.fixture
def purged(paid: Invoice) -> Invoice:
    purge(person=EMAIL)
    return fresh(paid)  # type: ignore[no-any-return]  # whatever row is given


def test_a_look_at_sadad_does_not_bring_the_person_back(purged: Invoice, sadad: Sadad) -> None:
    looked = verify(purged)
    assert (looked.status_text, looked.raw, looked.customer) == (purged.status_text, None, {})
    assert [trace for trace in TRACES if trace in dump()] == []


def test_the_rest_is_refunded_and_booked(purged: Invoice, sadad: Sadad) -> None:
    row = refund(purged, reason="the rest")
    assert (row.state, fresh(purged).refunded_amount) == (Refund.State.DONE, purged.amount)


def test_a_refund_in_the_panel_is_found(purged: Invoice, sadad: Sadad) -> None:
    sadad.control.refund(purged.sadad_id, "1")
    verify(purged)
    assert Refund.objects.filter(source=Refund.Source.PANEL).count() == 1
    assert fresh(purged).raw is None


def test_reconcile_goes_on(purged: Invoice, aged: Callable[[float], None]) -> None:
    aged(1)
    report = reconcile.run()
    assert (report.done.get("invoice"), report.failed) == (1, {})


def test_a_call_that_comes_late_is_handled(purged: Invoice, sadad: Sadad) -> None:
    assert call(named(purged)).status_code == 200
    assert fresh(purged).is_erased


def test_a_dead_call_without_its_body_is_tried_again(purged: Invoice) -> None:
    row = event(sadad_id=purged.sadad_id or "", state="dead", body="")
    assert inbox.retry(row.pk)
    assert fresh(row).state == "done"


def test_the_buyer_s_page_still_says_that_it_is_paid(purged: Invoice) -> None:
    assert "Payment received" in back(purged).content.decode()


def test_admin_and_api_show_dashes_and_nothing(purged: Invoice, admin_client: Any) -> None:
    page = admin_client.get(f"/admin/sadadpay/invoice/{purged.pk}/change/")
    assert page.status_code == 200
    assert "Customer&#x27;s data erased" in page.content.decode()
    assert admin_client.get("/admin/sadadpay/mark/").status_code == 200
    answer = admin_client.get(f"/api/invoices/{purged.reference}/").json()
    assert (answer["customer"], answer["raw"]) == ({"name": "", "mobile": "", "email": ""}, None)
    assert admin_client.get("/api/invoices/").status_code == 200


def test_an_erased_order_can_be_paid_anew_after_its_refund(purged: Invoice, sadad: Sadad) -> None:
    """Nothing in checkout reads the erased row's data."""
    Invoice.objects.filter(pk=purged.pk).update(paid_slot=None, handled_at=None)
    assert checkout(purged.object).customer["email"] == EMAIL
