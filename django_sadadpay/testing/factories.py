"""factory_boy factories for rows in any state, without a gateway. Every trait satisfies the constraints."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from factory import Dict, LazyAttribute, LazyFunction, SelfAttribute, Sequence, SubFactory, Trait
from factory.django import DjangoModelFactory

from django_sadadpay.models import Invoice, Refund
from django_sadadpay.models.base import exact

_INVOICE, _REFUND = Invoice.State, Refund.State
#: Base32 has no 0, 1, 8 and 9.
_LETTERS = str.maketrans("0189", "abcd")


def _ended(state: str, word: str) -> Any:
    return Trait(state=state, status_text=word, open_slot=None)


def _not_at_sadad(state: str, **values: Any) -> Any:
    blank = dict.fromkeys(("status_text", "sadad_key", "pay_url", "ref_number"), "")
    return Trait(state=state, sadad_id=None, **blank, **values)


class InvoiceFactory(DjangoModelFactory):
    """An open invoice of 10 KWD for an object that need not exist.

    Traits: ``new``, ``superseding``, ``paid``, ``unapplied`` (paid, but its order was not told),
    ``cancelled``, ``expired``, ``refused``, ``unknown``, ``lost``. For an object give ``payable="order"`` and
    ``object_id=str(order.pk)``.
    """

    class Meta:
        model = Invoice

    class Params:
        new = _not_at_sadad(_INVOICE.NEW)
        superseding = Trait(state=_INVOICE.SUPERSEDING, closing=Invoice.Closing.BASKET)
        paid = Trait(
            state=_INVOICE.PAID,
            status_text="Paid",
            open_slot=None,
            paid_slot=LazyAttribute(lambda o: exact(o.payable, o.object_id, o.purpose)),
            paid_amount=SelfAttribute("amount"),
            paid_at=LazyFunction(timezone.now),
            handled_at=LazyFunction(timezone.now),
        )
        unapplied = Trait(paid=True, paid_slot=None, handled_at=None)
        cancelled = _ended(_INVOICE.CANCELLED, "Canceled")
        expired = _ended(_INVOICE.EXPIRED, "Expired")
        refused = _not_at_sadad(_INVOICE.REFUSED, open_slot=None, error_code="AmountRequired")
        unknown = _not_at_sadad(_INVOICE.UNKNOWN, open_slot=None)
        lost = _not_at_sadad(_INVOICE.LOST, open_slot=None)

    account = "default"
    environment = "sandbox"
    reference = Sequence(lambda n: f"order-{n:010d}".translate(_LETTERS))
    shop_reference = Sequence(lambda n: f"ORDER-{n}")
    payable = "order"
    object_id = Sequence(str)
    object_key = LazyAttribute(lambda o: exact(o.payable, o.object_id))
    purpose = ""
    open_slot = LazyAttribute(lambda o: exact(o.payable, o.object_id, o.purpose))
    state = _INVOICE.OPEN
    status_text = "Unpaid"
    shop_currency = "KWD"
    shop_amount = SelfAttribute("amount")
    amount = Decimal("10.000")
    lines_digest = ""
    sadad_id = Sequence(lambda n: str(900000 + n))
    sadad_key = LazyAttribute(lambda o: f"12345678{o.sadad_id}")
    pay_url = LazyAttribute(lambda o: f"https://sandbox.sadadpay.net/pay/{o.sadad_key}")
    ref_number = SelfAttribute("reference")
    customer: Any = Dict({"name": "Test Customer", "mobile": "+96550000000", "email": "customer@example.com"})
    created_at = LazyFunction(timezone.now)
    expires_at = LazyAttribute(lambda o: o.created_at + timedelta(days=3))


def _seen_by_sadad(invoice: Any) -> Decimal:
    refund = invoice.factory_parent
    return refund.amount if refund.state == _REFUND.DONE else Decimal(0)


class RefundFactory(DjangoModelFactory):
    """A refund of 1 KWD that was done, of a paid invoice.

    Traits: ``requested``, ``sending``, ``unknown``, ``refused``, ``did_not_happen``, ``panel``.
    """

    class Meta:
        model = Refund

    class Params:
        requested = Trait(state=_REFUND.REQUESTED, finished_at=None, handled_at=None)
        sending = Trait(requested=True, state=_REFUND.SENDING, in_flight_slot=SelfAttribute("invoice.pk"))
        unknown = Trait(requested=True, state=_REFUND.UNKNOWN, in_flight_slot=SelfAttribute("invoice.pk"))
        refused = Trait(state=_REFUND.REFUSED, handled_at=None, error_code="RefundAmountExceedBalance")
        did_not_happen = Trait(state=_REFUND.DID_NOT_HAPPEN, handled_at=None)
        panel = Trait(source=Refund.Source.PANEL, reason="")

    invoice = SubFactory(InvoiceFactory, paid=True, refunded_amount=LazyAttribute(_seen_by_sadad))
    account = SelfAttribute("invoice.account")
    environment = SelfAttribute("invoice.environment")
    amount = Decimal("1.000")
    reason = "returned"
    state = _REFUND.DONE
    created_at = LazyFunction(timezone.now)
    finished_at = LazyFunction(timezone.now)
    handled_at = LazyFunction(timezone.now)
