"""factory_boy factories for rows in any state, without a gateway."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import factory
from django.utils import timezone

from django_sadadpay.models import Invoice, Refund
from django_sadadpay.models.base import exact


class InvoiceFactory(factory.django.DjangoModelFactory):
    """An open invoice of 10 KWD for an object that need not exist. Traits: ``paid``, ``cancelled``."""

    class Meta:
        model = Invoice

    class Params:
        paid = factory.Trait(
            state=Invoice.State.PAID,
            status_text="Paid",
            open_slot=None,
            paid_slot=factory.LazyAttribute(lambda o: exact(o.payable, o.object_id, o.purpose)),
            paid_amount=factory.SelfAttribute("amount"),
            paid_at=factory.LazyFunction(timezone.now),
            handled_at=factory.LazyFunction(timezone.now),
        )
        cancelled = factory.Trait(state=Invoice.State.CANCELLED, status_text="Canceled", open_slot=None)

    account = "default"
    environment = "sandbox"
    reference = factory.Sequence(lambda n: f"order-{n:010d}".replace("0", "a").replace("1", "b"))
    shop_reference = factory.Sequence(lambda n: f"ORDER-{n}")
    payable = "order"
    object_id = factory.Sequence(str)
    object_key = factory.LazyAttribute(lambda o: exact(o.payable, o.object_id))
    purpose = ""
    open_slot = factory.LazyAttribute(lambda o: exact(o.payable, o.object_id, o.purpose))
    state = Invoice.State.OPEN
    status_text = "Unpaid"
    shop_currency = "KWD"
    shop_amount = factory.SelfAttribute("amount")
    amount = Decimal("10.000")
    lines_digest = ""
    sadad_id = factory.Sequence(lambda n: str(900000 + n))
    sadad_key = factory.LazyAttribute(lambda o: f"12345678{o.sadad_id}")
    pay_url = factory.LazyAttribute(lambda o: f"https://sandbox.sadadpay.net/pay/{o.sadad_key}")
    ref_number = factory.SelfAttribute("reference")
    customer: Any = factory.Dict({"name": "Test Customer", "mobile": "+96550000000", "email": "customer@example.com"})
    created_at = factory.LazyFunction(timezone.now)
    expires_at = factory.LazyAttribute(lambda o: o.created_at + timedelta(days=3))


class RefundFactory(factory.django.DjangoModelFactory):
    """A refund of 1 KWD that was done, of a paid invoice."""

    class Meta:
        model = Refund

    invoice = factory.SubFactory(InvoiceFactory, paid=True)
    account = factory.SelfAttribute("invoice.account")
    environment = factory.SelfAttribute("invoice.environment")
    amount = Decimal("1.000")
    reason = "returned"
    state = Refund.State.DONE
    created_at = factory.LazyFunction(timezone.now)
    finished_at = factory.LazyFunction(timezone.now)
    handled_at = factory.LazyFunction(timezone.now)
