"""factory_boy factories for rows in any state, without a gateway. Every trait satisfies the constraints."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from factory import (
    Dict,
    LazyAttribute,
    LazyFunction,
    SelfAttribute,
    Sequence,
    SubFactory,
    Trait,
    post_generation,
)
from factory.django import DjangoModelFactory

from django_sadadpay.models import (
    Customer,
    InstallmentPlan,
    Invoice,
    Mirror,
    PaymentLink,
    Product,
    ProductCategory,
    ProductLink,
    Refund,
    Subscription,
    SubscriptionLink,
    SubscriptionTemplate,
)
from django_sadadpay.models.base import exact
from django_sadadpay.models.mirror import digest

_INVOICE, _REFUND, _MIRROR = Invoice.State, Refund.State, Mirror.State
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


# What a merchant keeps at Sadad


class MirrorFactory(DjangoModelFactory):
    """Base of the mirrors' factories: a row that is in step with Sadad, made by staff.

    Traits: ``pending`` (to be sent), ``failed`` (Sadad refused it), ``unknown`` (insert not answered),
    ``leaving`` (to be deleted), ``deleted``. For a shop's object give ``source="product"`` and
    ``object_id=str(product.pk)``.
    """

    class Meta:
        model = Mirror
        abstract = True

    class Params:
        pending = Trait(
            state=_MIRROR.PENDING,
            sadad_id=None,
            sadad_key="",
            synced_at=None,
            next_try_at=LazyFunction(timezone.now),
        )
        failed = Trait(pending=True, state=_MIRROR.FAILED, error="NameEnRequired", tries=1)
        unknown = Trait(
            pending=True, state=_MIRROR.UNKNOWN, sending="insert", sent_at=LazyFunction(timezone.now)
        )
        leaving = Trait(
            state=_MIRROR.PENDING, wanted=Mirror.Wanted.ABSENT, next_try_at=LazyFunction(timezone.now)
        )
        deleted = Trait(
            state=_MIRROR.DELETED, wanted=Mirror.Wanted.ABSENT, sadad_id=None, sadad_key="", next_try_at=None
        )

    account = "default"
    environment = "sandbox"
    sadad_id = Sequence(lambda n: str(700000 + n))
    state = _MIRROR.SYNCED
    synced_at = LazyFunction(timezone.now)
    source_key = LazyAttribute(lambda o: exact(o.source, o.object_id) if o.source else None)
    source = ""
    object_id = ""

    @classmethod
    def _build(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        return _in_step(model_class(*args, **kwargs))

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        row = _in_step(model_class(*args, **kwargs))
        row.save(force_insert=True)
        return row


def _in_step(row: Any) -> Any:
    """The payload of the columns, and the digests that go with it."""
    said = {name: getattr(row, column) for column, name in type(row).SHOWN.items()}
    plain = {name: f"{v:.3f}" if isinstance(v, Decimal) else v for name, v in said.items() if v is not None}
    row.take({**plain, **row.payload})
    if row.state == _MIRROR.SYNCED:
        row.pushed_digest = row.digest
    return row


def _key(row: Any) -> str:
    return f"12345678{row.sadad_id}"


class CustomerFactory(MirrorFactory):
    class Meta:
        model = Customer

    name = "Test Customer"
    mobile = "+96550000000"
    email = "customer@example.com"
    ref_number = Sequence(lambda n: f"customer-{n}")


class ProductCategoryFactory(MirrorFactory):
    class Meta:
        model = ProductCategory

    name_en = Sequence(lambda n: f"Category {n}")


class ProductFactory(MirrorFactory):
    class Meta:
        model = Product

    category = SubFactory(ProductCategoryFactory)
    name_en = Sequence(lambda n: f"Product {n}")
    price = Decimal("1.250")


def _list_products(row: Any, create: bool, listed: Any, **_: Any) -> None:
    chosen = list(listed or ())
    for position, product in enumerate(chosen):
        row.items.create(product=product, position=position)
    row.digest = digest([row.payload, row.parent_pks(), [product.pk for product in chosen]])
    if row.state == _MIRROR.SYNCED:
        row.pushed_digest = row.digest
    row.save(update_fields=["digest", "pushed_digest"])


class ProductLinkFactory(MirrorFactory):
    """Give ``products=[...]`` for what it lists."""

    class Meta:
        model = ProductLink
        skip_postgeneration_save = True

    sadad_key = LazyAttribute(_key)
    name_en = Sequence(lambda n: f"Link {n}")
    name_ar = "رابط"

    products: Any = post_generation(_list_products)


class PaymentLinkFactory(MirrorFactory):
    class Meta:
        model = PaymentLink

    sadad_key = LazyAttribute(_key)
    title = Sequence(lambda n: f"Payment link {n}")
    amount = Decimal("5.000")


class InstallmentPlanFactory(MirrorFactory):
    """100 KWD in five parts. Its instalments are rows of their own: ``plan.installments.create(...)``."""

    class Meta:
        model = InstallmentPlan

    sadad_key = LazyAttribute(_key)
    customer_name = "Test Customer"
    ref_number = Sequence(lambda n: f"plan-{n}")
    amount = Decimal("100.000")
    status = "New"
    paid_amount = Decimal("0.000")
    remaining_amount = SelfAttribute("amount")
    payload: Any = Dict({"installment_count": 5, "pay_per": "Monthly", "start_date": "2026-12-01"})


class SubscriptionTemplateFactory(MirrorFactory):
    class Meta:
        model = SubscriptionTemplate

    name_en = Sequence(lambda n: f"Template {n}")
    amount = Decimal("3.000")
    bill_period = "Monthly"


class SubscriptionFactory(MirrorFactory):
    """Its periods are rows of their own: ``subscription.periods.create(...)``."""

    class Meta:
        model = Subscription

    sadad_key = LazyAttribute(_key)
    template = SubFactory(SubscriptionTemplateFactory)
    customer = SubFactory(CustomerFactory)
    ref_number = Sequence(lambda n: f"subscription-{n}")
    status = "Active"


class SubscriptionLinkFactory(MirrorFactory):
    class Meta:
        model = SubscriptionLink

    sadad_key = LazyAttribute(_key)
    template = SubFactory(SubscriptionTemplateFactory)
    name_en = Sequence(lambda n: f"Subscribe {n}")
