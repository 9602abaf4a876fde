"""What happens to an invoice's money: paid, failed, expired, deposited, cancelled, refunded.

Each function is called inside ``World.transaction()`` and raises ``Refusal`` before it has changed anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django_sadadpay.emulator import webhooks, wire
from django_sadadpay.emulator.entities import Invoice, Refund, Transaction
from django_sadadpay.emulator.protocol import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from django_sadadpay.emulator.state import World

#: Earlier replies that are kept of each invoice, for the fault "older".
HISTORY = 5

PAID_STATUSES = ("Paid", "Deposited", "WaitingRefund", "Refunded")


@dataclass(frozen=True, slots=True)
class Method:
    """A way to pay: the name and code that Sadad shows (contract 12; the names are assumed)."""

    name: str
    code: str


#: Invoice type → what else happens when one is paid. The modules that make such invoices fill it in.
ON_PAID: dict[str, Callable[[World, Invoice], None]] = {}

METHODS = {"knet": Method("KNET", "Knet"), "card": Method("Credit Card", "CCCSSA")}


def remember(world: World, invoice: Invoice) -> None:
    """Keep the reply as it is now, before a change; touches the world."""
    invoice.history = [*invoice.history, wire.invoice(world, invoice)][-HISTORY:]
    world.touch()


def is_past(world: World, invoice: Invoice) -> bool:
    """Whether its expiry date is over in Kuwait (assumed: the date itself still counts)."""
    return wire.local_time(world.now()).date() > wire.local_time(invoice.expires_at).date()


def why_not_payable(invoice: Invoice) -> str | None:
    """The error key that keeps it from being paid, or None."""
    if invoice.status in PAID_STATUSES:
        return "InvoiceAlreadyPaid"
    if invoice.deleted:
        return "InvoiceNotExist"
    if invoice.status == "Expired":
        return "InvoiceExpired"
    return None if invoice.status == "Unpaid" else "InvalidInvoiceStatus"


def open_page(world: World, invoice: Invoice) -> None:
    """An unpaid invoice past its date turns Expired when its page is next opened (contract 3.10)."""
    if invoice.status == "Unpaid" and is_past(world, invoice):
        remember(world, invoice)
        invoice.status = "Expired"


def pay(world: World, invoice: Invoice, method: str, *, force: bool = False) -> None:
    """The buyer pays. ``force`` also pays what was cancelled or has expired meanwhile, never what is paid."""
    reason = why_not_payable(invoice)
    if reason and (not force or invoice.status in PAID_STATUSES):
        raise Refusal(reason)
    way = _method(method)
    remember(world, invoice)
    row = _add_transaction(world, invoice, way, "Success", "CAPTURED")
    invoice.status = "Paid"
    invoice.paid_at = row.created_at
    invoice.transaction_id = row.transaction_id
    invoice.gateway, invoice.gateway_code = way.name, way.code
    world.balance_fils += invoice.fils
    if invoice.type in ON_PAID:
        ON_PAID[invoice.type](world, invoice)
    webhooks.queue(world, invoice)


def fail(world: World, invoice: Invoice, method: str, answer: str) -> None:
    """The bank says no: the invoice stays Unpaid and gets a Failed transaction (contract 3.3)."""
    reason = why_not_payable(invoice)
    if reason:
        raise Refusal(reason)
    way = _method(method)
    remember(world, invoice)
    _add_transaction(world, invoice, way, "Failed", answer)


def _method(name: str) -> Method:
    if name not in METHODS:
        raise ValueError(f"method is {' or '.join(METHODS)}, not {name!r}")
    return METHODS[name]


def _add_transaction(
    world: World,
    invoice: Invoice,
    way: Method,
    status: str,
    answer: str,
    kind: str = "Capture",
    fils: int = 0,
) -> Transaction:
    """Newest first (contract 3.3)."""
    number = world.next_id("transaction")
    row = Transaction(
        id=number,
        status=status,
        request_type=kind,
        gateway=way.name,
        gateway_code=way.code,
        fils=fils or invoice.fils,
        created_at=world.now(),
        transaction_id=world.digits("transactionId", number, 15),
        reference_id=world.digits("referenceId", number, 12),
        track_id=world.digits("trackId", number, 10),
        payment_id=world.digits("paymentId", number, 18),
        answer=answer,
    )
    invoice.transactions.insert(0, row)
    return row


def expire(world: World, invoice: Invoice) -> None:
    """Its date has passed and its page was opened."""
    if invoice.status != "Unpaid":
        raise Refusal("InvalidInvoiceStatus")
    remember(world, invoice)
    invoice.expires_at = min(invoice.expires_at, world.now() - 86400)
    invoice.status = "Expired"


def deposit(world: World, invoice: Invoice) -> None:
    """Settled to the merchant's bank: what was not refunded leaves the balance (contract 3.10)."""
    if invoice.status != "Paid":
        raise Refusal("InvoiceNotPaidYet" if invoice.status not in PAID_STATUSES else "InvalidInvoiceStatus")
    remember(world, invoice)
    invoice.status, invoice.settled = "Deposited", True
    world.balance_fils -= invoice.fils - invoice.refunded_fils


def cancel(world: World, invoice: Invoice) -> None:
    """Soft delete, the panel's "Canceled Successfully"; only while Unpaid (contract 3.6)."""
    if invoice.status != "Unpaid" or invoice.deleted:
        raise Refusal("InvoiceCannotBeDeleted")
    remember(world, invoice)
    invoice.status, invoice.deleted = "Canceled", True


def refund(world: World, invoice: Invoice, fils: int, source: str) -> Refund:
    """Give ``fils`` back from the merchant's balance (contract 6.1), now or after ``refund_delay``."""
    _check_refund(world, invoice, fils)
    remember(world, invoice)
    row = Refund(world.next_id("refund"), invoice.id, fils, "Pending", source, world.now())
    world.refunds.append(row)
    world.balance_fils -= fils
    if world.settings.refund_delay > 0:
        row.due_at = world.now() + world.settings.refund_delay
        invoice.status = "WaitingRefund"
    else:
        _complete(world, row, invoice)
    return row


def _check_refund(world: World, invoice: Invoice, fils: int) -> None:
    if invoice.status not in PAID_STATUSES:
        raise Refusal("InvoiceNotPaidYet")
    if fils <= 0:
        raise Refusal("InvalidRefundAmount")
    waiting = sum(row.fils for row in _waiting(world) if row.invoice_id == invoice.id)
    if fils > invoice.fils - invoice.refunded_fils - waiting:
        raise Refusal("RefundAmountExceedBalance")
    if fils > world.balance_fils:
        raise Refusal("VendorBalanceLessThanInvoiceAmount")


def _waiting(world: World) -> list[Refund]:
    return [row for row in world.refunds if row.status == "Pending"]


def complete_due_refunds(world: World, *, everything: bool = False) -> int:
    """Let the refunds whose time has come, or all that wait, count in ``refunded_Amount``. Gives how many."""
    now = world.now()
    due = [row for row in _waiting(world) if everything or (row.due_at or 0) <= now]
    for row in due:
        invoice = world.invoices[row.invoice_id]
        remember(world, invoice)
        _complete(world, row, invoice)
    return len(due)


def _complete(world: World, row: Refund, invoice: Invoice) -> None:
    row.status = "Success"
    invoice.refunded_fils += row.fils
    if invoice.refunded_fils == invoice.fils:
        invoice.status = "Refunded"
    elif not any(other.invoice_id == invoice.id for other in _waiting(world)):
        invoice.status = "Deposited" if invoice.settled else "Paid"
    if world.settings.refund_transactions:
        way = Method(invoice.gateway or "", invoice.gateway_code or "")
        _add_transaction(world, invoice, way, "RefundedSuccess", "", "Refund", row.fils)
