"""What a shop wants kept at Sadad: one small class for each kind of object.

A draft is checked against the endpoint table (contract 10; all of it assumed): nothing is cut or rounded.
Fields that are None are left alone at Sadad; an empty text empties the field there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from django_sadadpay.gateway import checking
from django_sadadpay.gateway.endpoints import ENDPOINTS
from django_sadadpay.gateway.fields import Field
from django_sadadpay.registry.errors import DraftError
from django_sadadpay.registry.payable import Customer

Money = Decimal | int | str | None
#: Of these an empty text says nothing; of others it empties the field.
_TEXTS = ("text", "word")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Base of the drafts.

    :param extra: fields that the table does not list, by Sadad's names: texts, whole numbers, flags, lists.
    """

    #: Sadad's folder, whose ``insert`` and ``update`` take the payload.
    folder: ClassVar[str] = ""
    #: Fields that hold an object of the shop or a mirror: a parent, or the list of children.
    relations: ClassVar[tuple[str, ...]] = ()
    #: Of those, which must be given.
    needed: ClassVar[tuple[str, ...]] = ()

    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def payload(self) -> dict[str, Any]:
        """What goes into ``Mirror.payload``: JSON values by our field names.

        :raises DraftError: names the field that Sadad would refuse.
        """
        for name in self.needed:
            if getattr(self, name) is None:
                raise DraftError(name, "is missing")
        values = self.values()
        table = _table(self.folder)
        for name, known in table.items():
            if known.required and not name.endswith("_id") and _is_blank(values.get(name)):
                raise DraftError(name, "is missing")
        payload = {name: _clean(table.get(name), name, value) for name, value in values.items()}
        return {name: value for name, value in payload.items() if value is not None}

    def values(self) -> dict[str, Any]:
        """The fields as they are sent, relations left out. Overridden where a field is not sent as it is."""
        own = (f.name for f in fields(self) if f.name not in (*self.relations, "extra", "reference"))
        return {**{name: getattr(self, name) for name in own}, **self.extra}


@dataclass(frozen=True, kw_only=True)
class CategoryDraft(Draft):
    """A product category. ``inactive`` is taken by updates only."""

    folder = "ProductCategory"

    name_en: str
    name_ar: str = ""
    sort: int | None = None
    inactive: bool | None = None


@dataclass(frozen=True, kw_only=True)
class ProductDraft(Draft):
    """A product. ``price`` in KWD.

    :param category: the shop's own object, if it is mirrored too, or a ``ProductCategory``.
    """

    folder = "Product"
    relations = ("category",)
    needed = ("category",)

    category: Any
    name_en: str
    name_ar: str = ""
    desc_en: str = ""
    desc_ar: str = ""
    price: Money = None
    quantity: int | None = None
    stockable: bool | None = None
    stockable_show: bool | None = None


@dataclass(frozen=True, kw_only=True)
class CustomerDraft(Draft):
    """A customer. Kept out of repr.

    :param reference: the shop's number; sent with a random ending as ``ref_Number``.
    """

    folder = "Customer"

    name: str = field(repr=False)
    reference: str = ""
    mobile: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    bank_id: int | None = field(default=None, repr=False)
    account_holder_name: str = field(default="", repr=False)
    account_number: str = field(default="", repr=False)
    iban: str = field(default="", repr=False)
    other: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class _Terms(Draft):
    terms_condition_enabled: bool | None = None
    terms_condition: str = ""


@dataclass(frozen=True, kw_only=True)
class ProductLinkDraft(_Terms):
    """A page with a choice of products.

    :param products: the shop's own objects, if they are mirrored too, or ``Product`` rows, in their order.
    """

    folder = "ProductLink"
    relations = ("products",)
    needed = ("products",)

    name_en: str
    name_ar: str
    products: Iterable[Any]
    inactive: bool | None = None


@dataclass(frozen=True, kw_only=True)
class PaymentLinkDraft(_Terms):
    """A page on which anybody pays ``amount`` KWD, or any amount between two bounds."""

    folder = "PaymentLink"

    title: str
    amount: Money = None
    currency: str | None = None
    lang: str | None = None
    is_open_amount: bool | None = None
    min_amount: Money = None
    max_amount: Money = None
    comment: str = ""
    inactive: bool | None = None

    def payload(self) -> dict[str, Any]:
        payload = super().payload()
        if not self.is_open_amount and "amount" not in payload:
            raise DraftError("amount", "is missing")
        return payload


@dataclass(frozen=True, kw_only=True)
class _Payers(Draft):
    """``customer`` is a :class:`Customer` with name, phone and e-mail."""

    customer: Any = None

    def values(self) -> dict[str, Any]:
        values = super().values()
        values.pop("customer", None)
        if isinstance(self.customer, Customer):
            values |= {
                "customer_name": self.customer.name,
                "customer_mobile": self.customer.mobile,
                "customer_email": self.customer.email,
            }
        return values


@dataclass(frozen=True, kw_only=True)
class PlanDraft(_Payers):
    """An amount that is paid in parts (contract 10: the panel's words, assumed).

    :param pay_per: ``Daily``, ``Weekly``, ``Monthly``, ``Quarterly``, ``Yearly`` or ``Manual``.
    :param installments: for ``Manual``: ``(amount, due date)`` of each, which must add up.
    """

    folder = "InstallmentPlan"
    needed = ("customer",)

    reference: str = ""
    amount: Money
    installment_count: int
    start_date: date | str
    pay_per: str
    down_amount: Money = None
    balloon_amount: Money = None
    is_flexible: bool | None = None
    late_fees_type: str | None = None
    late_fees_value: Money = None
    grace_period: int | None = None
    installments: Iterable[tuple[Money, date | str]] = ()
    lang: str | None = None
    comment: str = ""

    def values(self) -> dict[str, Any]:
        values = super().values()
        rows = [{"amount": amount, "due_date": due} for amount, due in self.installments]
        values["installments"] = rows or None
        return values


@dataclass(frozen=True, kw_only=True)
class TemplateDraft(Draft):
    """How often what is billed (contract 10: the panel's words, assumed). ``amount`` in KWD."""

    folder = "SubscriptionTemplate"

    name_en: str
    amount: Money
    bill_period: str
    name_ar: str = ""
    bill_no: int | None = None
    duration_period: str | None = None
    duration_no: int | None = None
    auto_renew: bool | None = None
    can_be_suspended: bool | None = None
    closed_by_customer: bool | None = None
    max_suspend_cycle: int | None = None
    auto_close_after: int | None = None
    cancel_fees: Money = None
    suspend_fees: Money = None
    free_trial_period: str | None = None
    free_trial_no: int | None = None
    free_trial_position: str | None = None
    is_internal: bool | None = None
    inactive: bool | None = None


@dataclass(frozen=True, kw_only=True)
class SubscriptionDraft(_Payers):
    """A customer's subscription to a template.

    :param template: the shop's own object, if it is mirrored too, or a ``SubscriptionTemplate``.
    :param customer: as ``template``, or a :class:`Customer` with name, phone and e-mail.
    :param status: ``Active``, ``Suspended`` or ``Closed``; taken by updates only.
    """

    folder = "Subscription"
    relations = ("template", "customer")
    needed = ("template", "customer")

    template: Any
    reference: str = ""
    lang: str | None = None
    start_date: date | str | None = None
    status: str | None = None
    comment: str = ""


@dataclass(frozen=True, kw_only=True)
class SubscriptionLinkDraft(_Terms):
    """A page on which anybody can subscribe to ``template``."""

    folder = "SubscriptionLink"
    relations = ("template",)
    needed = ("template",)

    template: Any
    name_en: str
    name_ar: str = ""
    inactive: bool | None = None


def _table(folder: str) -> dict[str, Field]:
    """The fields of an update, those of an insert before them, since they know what is required."""
    rows = (*ENDPOINTS[f"{folder}/update"].fields, *ENDPOINTS[f"{folder}/insert"].fields)
    return {row.name: row for row in rows if row.name != "id"}


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _clean(known: Field | None, name: str, value: Any) -> Any:
    """One JSON value, or None for what says nothing.

    :raises DraftError: it cannot be sent.
    """
    if value is None or known is None:
        return _plain(name, value)
    if value == "":
        return "" if known.kind in _TEXTS else None
    try:
        checked = checking.check(known, value)
    except checking.Wrong as wrong:
        raise DraftError(name, str(wrong)) from None
    if known.kind == "rows":
        table = {item.name: item for item in known.items}
        return [
            {key: _clean(table.get(key), f"{name}[{number}].{key}", part) for key, part in row.items()}
            for number, row in enumerate(checked)
        ]
    if known.kind == "integer":
        return int(Decimal(str(checked).strip()))
    return _plain(name, str(checked) if known.kind in _TEXTS else checked)


def _plain(name: str, value: Any) -> Any:
    """A value that JSON, every database and Sadad keep as it is."""
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [_plain(name, item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(name, item) for key, item in value.items()}
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= c <= "\udfff" for c in value)):
        raise DraftError(name, "holds a character that cannot be sent")
    if value is None or isinstance(value, (str, bool, int)):
        return value
    raise DraftError(name, f"cannot be sent: {type(value).__name__}")
