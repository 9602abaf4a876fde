"""The inbox, step by step: what each one stores, when an event is tried next, and what a person is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError

from django_sadadpay import TryAgain, checkout, conf
from django_sadadpay.gateway.errors import AuthenticationError
from django_sadadpay.gateway.webhook import parse
from django_sadadpay.models import Attention, Invoice, InvoiceEvent, WebhookEvent
from django_sadadpay.services import clock, inbox, recognising, schedule, snapshots, transactions
from django_sadadpay.services.ledger import Origin
from django_sadadpay.services.recognising import Found
from django_sadadpay.testing.gateway import Sadad
from tests.services.conftest import fresh, waiting
from tests.services.steps import stop_clock, watch
from tests.shop.models import Order

State, Code = WebhookEvent.State, Attention.Code
Shift = Callable[[float], None]
RECONCILE = Origin("reconcile")
BUSY = schedule.BUSY
TICK = timedelta(milliseconds=1)


def store(account: str = "default", **payload: Any) -> WebhookEvent:
    body = json.dumps(payload)
    event = inbox.store(conf.current().account(account), parse(body.encode()), body)
    assert event is not None
    return event


def claim(event: WebhookEvent) -> WebhookEvent | None:
    return transactions.run(lambda: inbox._claim(event.pk))


def two_accounts(settings: Any) -> None:
    accounts = settings.SADADPAY["ACCOUNTS"]
    other = {**accounts["default"], "CLIENT_KEY": "ck_other", "WEBHOOK_SECRET": "another-secret-of-a-test"}
    settings.SADADPAY = {**settings.SADADPAY, "ACCOUNTS": {**accounts, "other": other}}


# Storing


def test_a_call_is_stored_with_all_that_is_known_of_it(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = stop_clock(monkeypatch)
    event = fresh(store(invoiceId=4711, status="Paid"))
    account = conf.current().account("default")
    assert (event.account, event.environment, event.sadad_id) == (account.name, account.environment, "4711")
    assert (event.state, event.count, event.tries) == (State.WAITING, 1, 0)
    assert (event.received_at, event.next_try_at, event.handled_at) == (now, now, None)
    assert json.loads(event.body) == {"invoiceId": 4711, "status": "Paid"}


def test_a_body_is_kept_up_to_its_limit(sadad: Sadad, order: Order) -> None:
    account, payload = conf.current().account("default"), parse(b'{"invoiceId": 1}')
    event = inbox.store(account, payload, "b" * (64 * 1024 + 1))
    assert event is not None
    assert event.body == "b" * 64 * 1024


def test_the_same_id_at_another_account_is_another_event(sadad: Sadad, order: Order, settings: Any) -> None:
    two_accounts(settings)
    first, second = store(invoiceId=4711), store("other", invoiceId=4711)
    assert first.pk != second.pk
    assert (fresh(first).count, fresh(second).count) == (1, 1)
    assert (fresh(second).account, store("other", invoiceId=4711).pk) == ("other", second.pk)


def test_another_id_is_another_event(sadad: Sadad, order: Order) -> None:
    assert store(invoiceId=4711).pk != store(invoiceId=4712).pk


def test_each_duplicate_counts_once(sadad: Sadad, order: Order) -> None:
    assert [store(invoiceId=4711).count for _ in range(4)] == [1, 2, 3, 4]


def test_a_slot_that_is_never_to_be_had_nor_counted_on_ends_as_busy(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def taken(*args: Any, **values: Any) -> Any:
        tries.append(1)
        raise IntegrityError("taken")

    monkeypatch.setattr(inbox, "_new", taken)
    with pytest.raises(TryAgain) as found:
        store(invoiceId=4711)
    assert (found.value.code, len(tries)) == ("database_busy", inbox._STORE_TRIES)


def test_a_call_that_names_nothing_is_kept_with_its_reason(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = stop_clock(monkeypatch)
    event = fresh(store(hello="world"))
    assert (event.sadad_id, event.state, event.error_code) == ("", State.DEAD, "names_nothing")
    assert (event.received_at, event.next_try_at, event.account) == (now, None, "default")
    assert json.loads(event.body) == {"hello": "world"}
    case = Attention.objects.get()
    assert (case.code, case.created_at, case.account) == (Code.EVENT_NAMES_NOTHING, now, "default")


def test_the_days_limit_of_calls_that_name_nothing_is_each_accounts_own(
    sadad: Sadad, order: Order, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_accounts(settings)
    monkeypatch.setattr(inbox, "DEAD_A_DAY", 1)
    store()
    store(invoiceId=4711)
    store("other")
    account = conf.current().account("default")
    assert inbox.store(account, parse(b"{}"), "{}") is None
    assert inbox.store(account, parse(b'{"invoiceId": 1}'), "{}") is not None


def test_what_names_something_does_not_count_towards_that_limit(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "DEAD_A_DAY", 1)
    store(invoiceId=4711)
    store()
    WebhookEvent.objects.filter(sadad_id="").update(environment="production")
    store()


def test_a_day_later_one_more_is_kept(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch, sadad_clock: Shift
) -> None:
    monkeypatch.setattr(inbox, "DEAD_A_DAY", 1)
    now = stop_clock(monkeypatch)
    first = store()

    def stored_after(age: timedelta) -> bool:
        WebhookEvent.objects.filter(pk=first.pk).update(received_at=now - age)
        return inbox.store(conf.current().account("default"), parse(b"{}"), "{}") is not None

    assert not stored_after(timedelta(days=1))
    assert stored_after(timedelta(days=1) + TICK)


# Claiming


def test_who_claims_an_event_has_it_for_a_while_and_its_slot_is_free(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = store(invoiceId=4711)
    now = stop_clock(monkeypatch)
    claim(event)
    stored = fresh(event)
    assert (stored.state, stored.waiting_slot, stored.tries) == (State.WORKING, None, 1)
    assert stored.next_try_at == now + BUSY


def test_a_dead_workers_event_is_free_when_its_time_is_over(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = store(invoiceId=4711)
    now = stop_clock(monkeypatch)
    claim(event)
    for due, free in ((None, False), (now + TICK, False), (now, True)):
        WebhookEvent.objects.update(next_try_at=due)
        assert (claim(event) is not None) is free
    assert fresh(event).tries == 2


@pytest.mark.parametrize("state", [State.DONE, State.FOREIGN, State.MERGED, State.DEAD])
def test_an_event_that_is_done_with_is_not_claimed(sadad: Sadad, order: Order, state: str) -> None:
    event = store(invoiceId=4711)
    WebhookEvent.objects.update(state=state, next_try_at=clock.now())
    assert claim(event) is None


# Handling


def test_an_event_passes_its_points_in_order(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = watch(monkeypatch, "inbox.")
    inbox.process(store(invoiceId=checkout(order).sadad_id).pk)
    assert passed == ["inbox.stored", "inbox.claimed", "inbox.handled", "inbox.finished"]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("origin", "source"), [((), "webhook"), ((RECONCILE,), "reconcile")])
def test_the_ledger_says_by_what_the_payment_became_known(
    sadad: Sadad, order: Order, known: bool, origin: tuple[Origin, ...], source: str
) -> None:
    invoice = checkout(order)
    sadad.pay(invoice)
    event = store(invoiceId=invoice.sadad_id)
    if not known:
        Invoice.objects.update(sadad_id=None)
    assert inbox.process(event.pk, *origin) is True
    assert InvoiceEvent.objects.get(kind="paid").source == source


def test_a_handled_event_says_when_and_for_which_invoice(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = checkout(order)
    event = store(invoiceId=invoice.sadad_id)
    assert claim(event) is not None
    now = stop_clock(monkeypatch)
    transactions.run(lambda: inbox._finish(event.pk, inbox._Ending(State.DONE)))
    stored = fresh(event)
    assert (stored.state, stored.invoice, stored.error_code) == (State.DONE, invoice, "")
    assert (stored.handled_at, stored.next_try_at) == (now, None)


@pytest.mark.parametrize("column", ["account", "environment", "sadad_id"])
def test_an_event_is_for_the_invoice_of_its_own_account_environment_and_id(
    sadad: Sadad, order: Order, order_of: Callable[..., Order], column: str
) -> None:
    """Another row differs in one of the three: it is not the event's, though it is newer."""
    invoice = checkout(order)
    other = checkout(order_of("1.000", number="A-0"))
    event = store(invoiceId=invoice.sadad_id)
    same = {"account": invoice.account, "environment": invoice.environment, "sadad_id": invoice.sadad_id}
    elsewhere = {"account": "elsewhere", "environment": "production", "sadad_id": "1"}
    Invoice.objects.filter(pk=other.pk).update(**{**same, column: elsewhere[column]})
    assert inbox._invoice_of(event) == invoice


def test_an_id_that_a_row_holds_is_that_rows_whatever_sadads_reference_says(
    sadad: Sadad, order: Order
) -> None:
    event = store(invoiceId=checkout(order).sadad_id)
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="ref_Number", value="POS-1")
    assert inbox.process(event.pk)
    assert (fresh(event).state, waiting()) == (State.DONE, [Code.MISMATCH])


# Ids that no row holds


def lost_id(sadad: Sadad, order: Order, reference: str = "") -> tuple[Invoice, WebhookEvent]:
    """An invoice whose row never learned its id, paid at Sadad, and the webhook about it."""
    invoice = checkout(order)
    sadad.pay(invoice)
    event = store(invoiceId=invoice.sadad_id)
    Invoice.objects.update(sadad_id=None)
    return invoice, event


def test_a_row_that_never_learned_its_id_is_found_by_its_reference_and_finished(
    sadad: Sadad, order: Order
) -> None:
    """Paid under a row that was given up: the order's newer invoice is deleted at once."""
    invoice, event = lost_id(sadad, order)
    Invoice.objects.update(state=Invoice.State.UNKNOWN, open_slot=None)
    newer = checkout(order)
    assert inbox.process(event.pk)
    assert (fresh(event).state, fresh(event).invoice) == (State.DONE, invoice)
    assert sadad.control.invoice(newer.sadad_id)["deleted"] is True
    assert waiting() == []


def test_blanks_around_sadads_reference_do_not_matter(sadad: Sadad, order: Order) -> None:
    invoice, event = lost_id(sadad, order)
    padded = f" {invoice.reference} "
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="ref_Number", value=padded)
    inbox.process(event.pk)
    assert fresh(event).state == State.DONE


@pytest.mark.parametrize(
    "elsewhere", [{"account": "elsewhere"}, {"environment": "production"}, {"made_from": "bill"}]
)
def test_a_reference_counts_only_for_a_row_of_the_same_place_that_we_made(
    sadad: Sadad, order: Order, elsewhere: dict[str, str]
) -> None:
    invoice, event = lost_id(sadad, order)
    Invoice.objects.filter(pk=invoice.pk).update(**elsewhere)
    inbox.process(event.pk)
    assert (fresh(event).state, fresh(event).error_code) == (State.DEAD, "without_row")
    assert fresh(invoice).sadad_id is None


def test_a_reference_without_a_row_is_shown_to_a_person_with_its_id(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = sadad.control.create("3.000", ref_Number="A-1-abcdefghij", customer_Name="Noor")
    event = store(invoiceId=there["id"])
    inbox.process(event.pk)
    case = Attention.objects.get()
    assert (case.code, case.event, case.account) == (Code.EVENT_WITHOUT_ROW, event, "default")
    assert case.params == {"sadad_id": str(there["id"]), "reference": "A-1-abcdefghij"}
    assert (fresh(event).error_code, fresh(event).next_try_at) == ("without_row", None)


def test_an_invoice_that_is_not_ours_leaves_no_error(sadad: Sadad, order: Order) -> None:
    there = sadad.control.create("3.000", ref_Number="POS 17", customer_Name="Walk-in")
    event = store(invoiceId=there["id"])
    inbox.process(event.pk)
    stored = fresh(event)
    assert (stored.state, stored.error_code, stored.invoice) == (State.FOREIGN, "", None)


def test_a_bill_whose_schedule_does_not_name_it_is_waited_for_a_day(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = sadad.control.create("3.000", ref_Number="SUB-7", customer_Name="Noor")
    event = store(invoiceId=there["id"])
    monkeypatch.setattr(recognising, "recognise", lambda *args: Found(is_a_bill=True))
    assert not inbox.process(event.pk)
    assert (fresh(event).state, fresh(event).error_code) == (State.WAITING, "NotFound")
    WebhookEvent.objects.update(received_at=event.received_at - inbox.UNKNOWN_FOR)
    assert inbox.process(event.pk)
    assert (fresh(event).state, waiting()) == (State.DEAD, [Code.EVENT_WITHOUT_ROW])
    assert Attention.objects.get().params["reference"] == "SUB-7"


def test_what_is_recognised_as_one_of_ours_is_done(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = checkout(order)
    there = sadad.control.create("3.000", ref_Number="SUB-7", customer_Name="Noor")
    event = store(invoiceId=there["id"])
    asked: list[tuple[Any, ...]] = []

    def recognise(*given: Any) -> Found:
        asked.append(given)
        return Found(invoice, is_a_bill=True)

    monkeypatch.setattr(recognising, "recognise", recognise)
    assert inbox.process(event.pk, RECONCILE)
    assert fresh(event).state == State.DONE
    ((row, snapshot, origin),) = asked
    assert (row, snapshot.record.id, origin) == (event, str(there["id"]), RECONCILE)


def test_an_unknown_id_becomes_a_persons_after_exactly_a_day(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = store(invoiceId=4711)
    now = stop_clock(monkeypatch)
    for age, ending in ((inbox.UNKNOWN_FOR - TICK, None), (inbox.UNKNOWN_FOR, "unknown_id")):
        event.received_at = now - age
        found = inbox._unknown_id(event)
        assert (found and found.error_code) == ending


def test_an_unknown_id_is_shown_to_a_person_with_its_id(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    event = store(invoiceId=4711)
    sadad_clock(24 * 3600 + 60)
    assert inbox.process(event.pk)
    case = Attention.objects.get()
    assert (case.code, case.params) == (Code.EVENT_UNKNOWN_ID, {"sadad_id": "4711", "reference": ""})
    assert fresh(event).error_code == "unknown_id"


# Again


def test_an_event_that_failed_waits_longer_each_time(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = store(invoiceId=4711)
    now = stop_clock(monkeypatch)
    slot = fresh(event).waiting_slot
    for pause in (schedule.MINUTE, 5 * schedule.MINUTE, 15 * schedule.MINUTE):
        claim(event)
        transactions.run(lambda: inbox._wait(event.pk, "Unavailable"))
        stored = fresh(event)
        assert (stored.state, stored.waiting_slot, stored.error_code) == (State.WAITING, slot, "Unavailable")
        assert (stored.next_try_at, stored.handled_at) == (now + pause, None)


def test_an_id_not_known_yet_waits_under_that_name(sadad: Sadad, order: Order) -> None:
    event = store(invoiceId=4711)
    assert inbox.process(event.pk) is False
    assert (fresh(event).state, fresh(event).error_code) == (State.WAITING, "NotFound")


def test_one_that_gives_way_to_a_later_call_is_done_with(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = store(invoiceId=4711)
    claim(first)
    store(invoiceId=4711)
    now = stop_clock(monkeypatch)
    transactions.run(lambda: inbox._wait(first.pk, "Unavailable"))
    stored = fresh(first)
    assert (stored.state, stored.waiting_slot, stored.error_code) == (State.MERGED, None, "Unavailable")
    assert (stored.handled_at, stored.next_try_at) == (now, None)


def test_refused_keys_are_noted_at_the_events_account(
    sadad: Sadad, order: Order, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_accounts(settings)
    event = store("other", invoiceId=4711)

    def refuse(*args: Any, **options: Any) -> Any:
        raise AuthenticationError("Invoice/getbyid", error_key="AccessPermissionDenied")

    monkeypatch.setattr(snapshots, "fetch", refuse)
    assert inbox.process(event.pk) is False
    case = Attention.objects.get()
    assert (case.code, case.account) == (Code.ACCESS_DENIED, "other")
    assert fresh(event).error_code == "AuthenticationError"


def test_a_person_who_asks_again_gets_another_try_of_a_dead_event(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = store(invoiceId=4711)
    WebhookEvent.objects.update(
        state=State.DEAD, error_code="unknown_id", waiting_slot=None, next_try_at=None
    )
    now = stop_clock(monkeypatch)
    tried: list[WebhookEvent] = []

    def process(pk: int) -> bool:
        tried.append(WebhookEvent.objects.get(pk=pk))
        return True

    monkeypatch.setattr(inbox, "process", process)
    assert inbox.retry(event.pk) is True
    (seen,) = tried
    assert (seen.pk, seen.state, seen.error_code, seen.next_try_at) == (event.pk, State.WAITING, "", now)


@pytest.mark.parametrize("state", [State.DONE, State.WORKING, State.MERGED])
def test_one_that_is_not_dead_is_not_brought_back(sadad: Sadad, order: Order, state: str) -> None:
    event = store(invoiceId=4711)
    WebhookEvent.objects.update(state=state, waiting_slot=None, next_try_at=None, error_code="kept")
    sadad.control.clear_log()
    assert inbox.retry(event.pk)
    assert (fresh(event).state, fresh(event).error_code, sadad.calls()) == (state, "kept", [])


def test_a_case_of_the_event_closes_as_handled(sadad: Sadad, order: Order) -> None:
    invoice, event = lost_id(sadad, order)
    Invoice.objects.update(reference="x-abcdefghij")
    inbox.process(event.pk)
    other = sadad.control.create("3.000", ref_Number="B-1-abcdefghij", customer_Name="Noor")
    inbox.process(store(invoiceId=other["id"]).pk)
    Invoice.objects.update(reference=invoice.reference)
    inbox.retry(event.pk)
    closed, still = Attention.objects.order_by("pk")
    assert (closed.event, closed.resolution, still.resolved_at) == (event, "handled", None)
    assert closed.resolved_at is not None
