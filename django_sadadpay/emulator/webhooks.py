"""The webhook messages: one for each payment, tried every 3 minutes, at most 5 times (contract 5)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import requests

from django_sadadpay.emulator import wire
from django_sadadpay.emulator.entities import WebhookMessage
from django_sadadpay.emulator.faults import WEBHOOK

if TYPE_CHECKING:
    from django_sadadpay.emulator.entities import Invoice
    from django_sadadpay.emulator.faults import Fault
    from django_sadadpay.emulator.state import World

#: Delivers one payload; the HTTP status, None for no answer.
Send = Callable[[dict[str, Any]], int | None]
logger = logging.getLogger("django_sadadpay.emulator")

#: The spelling that the vendor's page documents; every value is text there (contract 5).
DOCUMENTED = {
    "invoiceId": "InvoiceId",
    "invoiceCode": "InvoiceCode",
    "invoiceKey": "InvoiceKey",
    "status": "Status",
    "amount": "Amount",
    "paymentMethod": "PaymentMethod",
    "transactionId": "TransactionId",
}


def payload(world: World, invoice: Invoice) -> dict[str, Any]:
    """The message about a paid invoice, in the spelling really seen or in the documented one (contract 5)."""
    seen = {
        "invoiceId": invoice.id,
        "invoiceCode": invoice.code,
        "invoiceKey": int(invoice.key),
        "status": invoice.status,
        "amount": wire.number(invoice.fils),
        "paymentMethod": invoice.gateway_code,
        "transactionId": invoice.transaction_id,
        "session_Id": _session(world, invoice),
        "transactionStatus": "Success",
    }
    if world.settings.webhook_style == "camel":
        return seen
    return {name: str(seen[key]) for key, name in DOCUMENTED.items()}


def _session(world: World, invoice: Invoice) -> str | None:
    """The embedded session that the invoice came from (contract 5)."""
    session = world.objects.get("OrderSession", {}).get(invoice.order_session_id)
    return session.key if session else None


def queue(world: World, invoice: Invoice) -> None:
    """Queue the message about a payment. Without a webhook URL in the panel, Sadad sends none."""
    if world.settings.webhook_url is None:
        return
    kinds = {fault.kind: fault for fault in world.faults.take(WEBHOOK)}
    copies = 1 + (kinds["duplicate"].options["copies"] if "duplicate" in kinds else 0)
    overtaken = [row for row in world.webhooks if row.held]
    for _ in range(copies):
        world.webhooks.append(_message(world, invoice, kinds))
    if "reorder" not in kinds:
        _let_go(world, overtaken)
    world.wake.set()


def _message(world: World, invoice: Invoice, kinds: dict[str, Fault]) -> WebhookMessage:
    late = sum(kinds[kind].options["seconds"] for kind in ("delay", "reorder") if kind in kinds)
    return WebhookMessage(
        id=world.next_id("webhook"),
        invoice_id=invoice.id,
        payload=payload(world, invoice),
        created_at=world.now(),
        due_at=world.now() + late,
        order=world.next_id("order"),
        state="dropped" if "drop" in kinds else "waiting",
        held="reorder" in kinds and "drop" not in kinds,
    )


def _let_go(world: World, overtaken: list[WebhookMessage]) -> None:
    for row in overtaken:
        row.held, row.due_at, row.order = False, world.now(), world.next_id("order")


def due(world: World) -> list[WebhookMessage]:
    """The messages to send now, in their order."""
    now = world.now()
    rows = (row for row in world.webhooks if row.state == "waiting" and not row.sending and row.due_at <= now)
    return sorted(rows, key=lambda row: row.order)


def deliver_due(world: World, send: Send | None = None) -> int:
    """Send every message that is due, each once, in the caller's thread. Gives how many were sent.

    ``send`` stands in for the POST: a test hands the body to the shop's view and gives the status back.

    The world is not locked meanwhile: the receiver asks ``getbyid`` before it answers.
    """
    with world.transaction():
        rows = due(world)
    return sum(_deliver(world, row, send) for row in rows)


def _deliver(world: World, row: WebhookMessage, send: Send | None = None) -> int:
    with world.transaction():
        url = world.settings.webhook_url
        if row.state != "waiting" or row.sending or url is None:
            return 0
        row.sending, row.held = True, False
    status = send(row.payload) if send else _post(url, row.payload, world.settings.webhook_timeout)
    with world.transaction():
        _note(world, row, status)
    return 1


def _note(world: World, row: WebhookMessage, status: int | None) -> None:
    """200 is accepted, anything else is tried again (contract 5)."""
    row.sending = False
    row.tries += 1
    row.last_status = status
    row.due_at = world.now() + world.settings.webhook_interval
    if status == 200:
        row.state = "accepted"
    elif row.tries >= world.settings.webhook_tries:
        row.state = "given_up"
    world.touch()
    logger.info("webhook for invoice %s, try %s: %s", row.invoice_id, row.tries, status or "no answer")


def _post(url: str, body: dict[str, Any], timeout: float) -> int | None:
    """The HTTP status of the answer, None for none."""
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the machine must not stand between two local programs
        try:
            return session.post(url, json=body, timeout=timeout, allow_redirects=False).status_code
        except requests.RequestException:
            return None


class Postman(threading.Thread):
    """Sends what is due until it is told to stop."""

    #: Seconds between two looks at the clock, when nothing wakes it.
    PATIENCE = 0.5

    def __init__(self, world: World) -> None:
        super().__init__(name="sadadpay-emulator-webhooks", daemon=True)
        self._world = world
        self._stop_asked = threading.Event()

    def run(self) -> None:
        while not self._stop_asked.is_set():
            deliver_due(self._world)
            self._world.wake.wait(self.PATIENCE)
            self._world.wake.clear()

    def stop(self) -> None:
        """Ask it to end and wait until it has."""
        self._stop_asked.set()
        self._world.wake.set()
        self.join(self._world.settings.webhook_timeout + 1)
