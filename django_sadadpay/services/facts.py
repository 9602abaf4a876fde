"""What a getbyid reply says about an invoice. Pure reading: nothing is changed here."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django_sadadpay import money
from django_sadadpay.gateway.records import InvoiceRecord
from django_sadadpay.models import Invoice
from django_sadadpay.services import plain

#: Words that prove a payment (contract 3.10): Deposited is paid and settled, a refund needs a payment
#: before it.
PAID_WORDS = frozenset({"paid", "deposited", "refunded", "waitingrefund"})
REFUND_WORDS = frozenset({"refunded", "waitingrefund"})
UNPAID, EXPIRED = "unpaid", "expired"
CANCELLED_WORDS = frozenset({"canceled", "cancelled"})
_KNOWN = PAID_WORDS | CANCELLED_WORDS | {UNPAID, EXPIRED}


@dataclass(frozen=True)
class Mismatch:
    """A fact of identity in which Sadad's invoice differs from ours."""

    what: str
    ours: str
    theirs: str


@dataclass(frozen=True)
class Reading:
    """A reply in our terms. ``refunded`` is None when the reply says nothing of it, or what cannot be an
    amount.
    """

    word: str
    mismatch: Mismatch | None
    refunded: Decimal | None
    refunded_impossible: bool = False

    @property
    def proves_payment(self) -> bool:
        return self.word in PAID_WORDS

    @property
    def says_refund(self) -> bool:
        return self.word in REFUND_WORDS or bool(self.refunded)

    @property
    def fully_refunded(self) -> bool:
        return self.word == "refunded"

    @property
    def cancelled(self) -> bool:
        return self.word in CANCELLED_WORDS

    @property
    def is_known(self) -> bool:
        return self.word in _KNOWN


def word(record: InvoiceRecord) -> str:
    """Its status without case and blanks."""
    said = record.status.strip().casefold().replace(" ", "")
    return "canceled" if record.deleted and said not in PAID_WORDS else said


def read(invoice: Invoice, record: InvoiceRecord) -> Reading:
    """``deleted`` counts as cancelled unless a payment is proven (contract 3.6)."""
    said = word(record)
    refunded = money.from_reply(record.refunded_amount)
    impossible = record.refunded_amount is not None and refunded is None
    return Reading(said, _mismatch(invoice, record), refunded, refunded_impossible=impossible)


def _mismatch(invoice: Invoice, record: InvoiceRecord) -> Mismatch | None:
    """Reference and KWD amount must agree; ``total`` and ``subtotal`` are kept, not compared (money-flow
    4).
    """
    ours, theirs = invoice.reference, record.ref_number.strip()
    if invoice.is_adopted:  # our own reference was never sent
        ours, theirs = invoice.ref_number, plain.text(record.ref_number, 200)
    if theirs != ours:
        return Mismatch("reference", ours or "–", plain.text(record.ref_number, 60) or "–")
    if money.from_reply(record.amount) != invoice.amount:
        theirs = "–" if record.amount is None else str(record.amount)[:40]
        return Mismatch("amount", f"{invoice.amount:.3f}", theirs)
    return None
