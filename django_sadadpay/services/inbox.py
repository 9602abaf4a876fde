"""The inbox: a webhook call is stored and committed before it is answered, then its invoice is looked at
(money-flow 6).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import F

from django_sadadpay import conf
from django_sadadpay.gateway.errors import NotFound, SadadError
from django_sadadpay.gateway.webhook import WebhookPayload
from django_sadadpay.models import Attention, Invoice, InvoiceEvent, WebhookEvent
from django_sadadpay.models.base import exact
from django_sadadpay.services import (
    attention,
    clock,
    keys,
    opening,
    plain,
    recognising,
    schedule,
    settlement,
    snapshots,
    transactions,
)
from django_sadadpay.services.errors import PaymentError, TryAgain
from django_sadadpay.services.ledger import Origin
from django_sadadpay.services.points import point
from django_sadadpay.services.verify import finish_after, look_and_finish

State, Code = WebhookEvent.State, Attention.Code
#: Calls that name no invoice are kept as a sign that something is wrong, but cannot fill the table.
DEAD_A_DAY = 100
#: An id that Sadad does not know may be known a moment later; after this a person is asked.
UNKNOWN_FOR = timedelta(hours=24)
_STORE_TRIES = 20
_BODY_LIMIT = 64 * 1024
_ORIGIN = Origin(InvoiceEvent.Source.WEBHOOK)


@dataclass(frozen=True)
class _Ending:
    """What became of an event."""

    state: str
    error_code: str = ""
    ask: str = ""
    reference: str = ""


def store(account: conf.Account, payload: WebhookPayload, body: str) -> WebhookEvent | None:
    """Commit the call; None when it names no invoice and the day's limit is reached.

    A call for an invoice that already waits raises that row's counter.
    """
    if not payload.invoice_id:
        return transactions.run(partial(_store_dead, account, body))
    slot = exact(account.name, account.environment, payload.invoice_id)
    event = transactions.run(partial(_store_waiting, account, payload.invoice_id, slot, body))
    point("inbox.stored")
    return event


def process(event_pk: int, origin: Origin = _ORIGIN) -> bool:
    """Look at the event's invoice; True when the event is done with, False when it is tried again later.

    The slot is cleared when the row is claimed, before Sadad is asked: a call that comes later makes a new
    row.
    """
    event = transactions.run(partial(_claim, event_pk))
    if event is None:
        return True  # somebody else has it, or it is done
    point("inbox.claimed")
    try:
        ending = _handle(event, origin)
    except NotFound:
        ending = _unknown_id(event)
    except (SadadError, PaymentError) as error:
        return _later(event, error)
    if ending is None:
        return _later(event, None)
    point("inbox.handled")
    transactions.run(partial(_finish, event.pk, ending))
    point("inbox.finished")
    return True


def retry(event_pk: int) -> bool:
    """A person asks for another try of an event that waits for one, or is dead."""

    def block() -> None:
        event = transactions.lock(WebhookEvent, event_pk)
        if event.state == State.DEAD and event.sadad_id:
            event.state, event.error_code, event.next_try_at = State.WAITING, "", clock.now()
            event.save(update_fields=["state", "error_code", "next_try_at"])

    transactions.run(block)
    return process(event_pk)


# Store


def _store_dead(account: conf.Account, body: str) -> WebhookEvent | None:
    now = clock.now()
    rows = WebhookEvent.objects.filter(
        account=account.name,
        environment=account.environment,
        sadad_id="",
        received_at__gte=now - timedelta(days=1),
    )
    if rows.count() >= DEAD_A_DAY:
        return None
    event = _new(account, now, body, state=State.DEAD, error_code="names_nothing")
    attention.ask(Code.EVENT_NAMES_NOTHING, now, event)
    return event


def _store_waiting(account: conf.Account, sadad_id: str, slot: str, body: str) -> WebhookEvent:
    """Count the call on the row that waits, or make that row. A worker may claim it in between: then look
    again.
    """
    now = clock.now()
    for _ in range(_STORE_TRIES):
        waiting = WebhookEvent.objects.filter(waiting_slot=slot)
        if waiting.update(count=F("count") + 1):
            return waiting.get()
        try:
            with transaction.atomic(using=transactions.alias()):
                return _new(account, now, body, sadad_id=sadad_id, waiting_slot=slot, next_try_at=now)
        except IntegrityError:
            continue
    raise TryAgain("database_busy")


def _new(account: conf.Account, now: datetime, body: str, **values: object) -> WebhookEvent:
    return WebhookEvent.objects.create(
        account=account.name,
        environment=account.environment,
        body=plain.text(body, _BODY_LIMIT),
        received_at=now,
        **values,
    )


# Process


def _claim(event_pk: int) -> WebhookEvent | None:
    """One worker has the row; ``next_try_at`` is when others may think that it died."""
    event, now = transactions.lock(WebhookEvent, event_pk), clock.now()
    abandoned = event.state == State.WORKING and event.next_try_at is not None and event.next_try_at <= now
    if event.state != State.WAITING and not abandoned:
        return None
    event.state, event.waiting_slot = State.WORKING, None
    event.next_try_at, event.tries = now + schedule.BUSY, event.tries + 1
    event.save(update_fields=["state", "waiting_slot", "next_try_at", "tries"])
    return event


def _handle(event: WebhookEvent, origin: Origin) -> _Ending | None:
    invoice = _invoice_of(event)
    if invoice is None:
        return _match(event, origin)
    look_and_finish(invoice, origin)
    return _Ending(State.DONE)


def _invoice_of(event: WebhookEvent) -> Invoice | None:
    return Invoice.objects.filter(
        account=event.account, environment=event.environment, sadad_id=event.sadad_id
    ).first()


def _match(event: WebhookEvent, origin: Origin) -> _Ending | None:
    """An id that no row holds: ask Sadad whose it is. Matched by the reference that we sent, or as what one
    of our subscriptions, plans or links has made.
    """
    snapshot = snapshots.fetch(event, event.sadad_id)
    reference = snapshot.record.ref_number.strip()
    invoice = Invoice.objects.filter(
        account=event.account, environment=event.environment, reference=reference, made_from=""
    ).first()
    if invoice is not None:
        finish_after(settlement.settle(invoice.pk, snapshot, origin).invoice, origin)
        return _Ending(State.DONE)
    found = recognising.recognise(event, snapshot, origin)
    if found.invoice is not None:
        return _Ending(State.DONE)
    if found.is_a_bill:  # its schedule may name it a moment later
        return _without_row(reference) if _is_old(event) else None
    if opening.is_our_form(reference):
        return _without_row(reference)
    return _Ending(State.FOREIGN)  # the account's POS, panel and link invoices share its webhook


def _without_row(reference: str) -> _Ending:
    return _Ending(State.DEAD, "without_row", Code.EVENT_WITHOUT_ROW, reference)


def _is_old(event: WebhookEvent) -> bool:
    return clock.now() - event.received_at >= UNKNOWN_FOR


def _unknown_id(event: WebhookEvent) -> _Ending | None:
    if not _is_old(event):
        return None
    return _Ending(State.DEAD, "unknown_id", Code.EVENT_UNKNOWN_ID)


def _finish(event_pk: int, ending: _Ending) -> None:
    event, now = transactions.lock(WebhookEvent, event_pk), clock.now()
    event.state, event.error_code = ending.state, ending.error_code
    event.handled_at, event.next_try_at = now, None
    event.invoice = _invoice_of(event)
    event.save(update_fields=["state", "error_code", "handled_at", "next_try_at", "invoice"])
    if ending.ask:
        attention.ask(
            ending.ask, now, event, event=event, sadad_id=event.sadad_id, reference=ending.reference
        )
    else:
        attention.close((Code.EVENT_WITHOUT_ROW, Code.EVENT_UNKNOWN_ID), now, "handled", event=event)


def _later(event: WebhookEvent, error: Exception | None) -> bool:
    transactions.run(partial(_wait, event.pk, type(error).__name__ if error else "NotFound"))
    if error is not None:
        keys.note(event, error)
    return False


def _wait(event_pk: int, error_code: str) -> None:
    """Back to waiting, unless a later call already waits for the same invoice: that one is enough."""
    event, now = transactions.lock(WebhookEvent, event_pk), clock.now()
    event.error_code, event.state = error_code, State.WAITING
    event.next_try_at = schedule.back_off(now, event.tries)
    event.waiting_slot = exact(event.account, event.environment, event.sadad_id)
    fields = ["error_code", "state", "next_try_at", "waiting_slot", "handled_at"]
    try:
        with transaction.atomic(using=transactions.alias()):
            event.save(update_fields=fields)
    except IntegrityError:
        event.state, event.waiting_slot, event.next_try_at, event.handled_at = State.MERGED, None, None, now
        event.save(update_fields=fields)
