"""Where personal data stand, in one table, and whether a row names a person."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Model, Q, QuerySet, TextField
from django.db.models.functions import Cast

from django_sadadpay.models import (
    Customer,
    InstallmentPlan,
    Invoice,
    PaymentAttempt,
    Subscription,
    WebhookEvent,
)
from django_sadadpay.models.invoice import ERASED
from django_sadadpay.services.drafts import phone_digits

#: Of an object that is mirrored: a digest of a phone number tells the number to whoever tries them all.
_MIRRORED: dict[str, Any] = {
    "payload": {},
    "reply": None,
    "digest": "",
    "pushed_digest": "",
    "reply_digest": "",
}
#: Every column that can name a customer, and what stands there afterwards. A test walks all models: a new
#: text or JSON column must be listed here or in ``NOT_PERSONAL``.
BLANKS: dict[type[Model], dict[str, Any]] = {
    Invoice: {"customer": {}, "request": ERASED, "raw": None},
    PaymentAttempt: {"raw": {}},
    WebhookEvent: {"body": ""},
    Customer: {**_MIRRORED, "name": "", "mobile": "", "email": ""},
    InstallmentPlan: {**_MIRRORED, "customer_name": ""},
    Subscription: {**_MIRRORED, "customer_name": ""},
}
#: What the number of an order, or the shop's own number of a customer, is compared with.
_REFERENCES: dict[type[Model], tuple[str, ...]] = {
    Invoice: ("reference", "shop_reference"),
    PaymentAttempt: ("invoice__reference", "invoice__shop_reference"),
    WebhookEvent: ("invoice__reference", "invoice__shop_reference"),
    Customer: ("ref_number",),
    InstallmentPlan: ("ref_number",),
    Subscription: ("ref_number",),
}
_MIRRORS = (Customer, InstallmentPlan, Subscription)
#: Columns of every object that is mirrored: numbers, states, who works on it.
_ROW = frozenset({"account", "environment"})
_MIRROR = (
    _ROW
    | {"sadad_id", "sadad_key", "code", "state", "wanted", "held", "error", "error_params"}
    | {"source", "object_id", "source_key", "lease_holder", "sending", "sent_key"}
)
#: The merchant's own goods: nothing in them is about a customer.
_GOODS = _MIRROR | {"payload", "reply", "digest", "pushed_digest", "reply_digest", "name_en", "name_ar"}
#: Columns that name no customer: numbers, codes, words of Sadad's and ours, secrets, and members of staff.
NOT_PERSONAL: dict[str, frozenset[str]] = {
    "Attention": _ROW | {"code", "params", "open_slot", "subject", "resolution", "by_name"},
    "CurrencyRate": frozenset({"environment", "code"}),
    "Customer": _MIRROR | {"ref_number"},
    "GatewayToken": _ROW | {"access", "refresh", "lease_holder"},
    "Installment": frozenset({"sadad_id", "status", "sadad_invoice_id", "told"}),
    "InstallmentPlan": _MIRROR | {"ref_number", "status"},
    "Invoice": _ROW
    | {"reference", "shop_reference", "payable", "object_id", "object_key", "purpose", "open_slot"}
    | {"paid_slot", "state", "status_text", "error_code", "shop_currency", "lines_digest", "language"}
    | {"kind", "closing", "doubt", "sadad_id", "sadad_key", "pay_url", "ref_number", "transaction_id"}
    | {"payment_method", "made_from"},
    "InvoiceEvent": frozenset({"kind", "source", "changes", "params", "by_name"}),
    "InvoiceLine": frozenset({"name"}),
    "Mark": frozenset({"name", "detail"}),
    "PaymentAttempt": frozenset({"key", "status", "request_type", "method", "currency"})
    | {"transaction_id", "payment_id", "reference_id", "track_id"},
    "PaymentLink": _GOODS - {"name_en", "name_ar"} | {"title"},
    "Product": _GOODS,
    "ProductCategory": _GOODS,
    "ProductLink": _GOODS,
    "Refund": _ROW
    | {"reason", "source", "state", "key", "sadad_refund_id", "error_code", "by_name", "decided_by_name"},
    "Subscription": _MIRROR | {"ref_number", "status"},
    "SubscriptionLink": _GOODS,
    "SubscriptionPeriod": frozenset({"status", "sadad_invoice_id", "told"}),
    "SubscriptionTemplate": _GOODS | {"bill_period"},
    "WebhookEvent": _ROW | {"sadad_id", "waiting_slot", "state", "error_code"},
}
_KUWAIT, _LOCAL = "965", 8


def holding(model: type[Model], or_else: Q | None = None) -> QuerySet[Any]:
    """The rows whose personal columns are not all blank yet (or for which ``or_else`` holds)."""
    blank = Q()
    for name, value in BLANKS[model].items():
        blank &= _is_blank(name, value)
    wanted = ~blank if or_else is None else ~blank | or_else
    return _with_texts(model).filter(wanted)


def _is_blank(name: str, value: Any) -> Q:
    if value is None:
        return Q(**{f"{name}__isnull": True})
    return Q(**{f"{name}_text": value if isinstance(value, str) else json.dumps(value)})


def naming(model: type[Model], person: Person, or_else: Q | None = None) -> QuerySet[Any]:
    """The rows that may name a person: a coarse search by the database, to be asked of each row again."""
    found = person.coarse(model)
    return _with_texts(model).filter(found if or_else is None else found | or_else)


def _with_texts(model: type[Model]) -> QuerySet[Any]:
    """Databases compare JSON each in its own way; as text they agree."""
    texts = {f"{name}_text": Cast(name, TextField()) for name in BLANKS[model]}
    rows: QuerySet[Any] = model._default_manager.annotate(**texts)
    return rows


@dataclass(frozen=True)
class Person:
    """An e-mail address, a phone number, or the number of an order. Never shown: it names somebody."""

    email: str = ""
    phone: str = ""
    reference: str = ""

    def __repr__(self) -> str:
        return "<Person>"

    @classmethod
    def of(cls, text: str) -> Person:
        """:raises ValueError: blank text, which would be everybody."""
        text = text.strip()
        if not text:
            raise ValueError("a person is an e-mail address, a phone number or the number of an order")
        if "@" in text:
            return cls(email=text.casefold())
        phone = _phone(text)
        return cls(phone=phone) if phone else cls(reference=text)

    def coarse(self, model: type[Model]) -> Q:
        if self.reference:
            exact = _any(Q(**{path: self.reference}) for path in _REFERENCES[model])
            return exact | Q(ref_number__startswith=f"{self.reference}-") if model in _MIRRORS else exact
        texts = {self.email, json.dumps(self.email)[1:-1]} if self.email else {self.phone[-4:]}
        names = (f"{name}_text__icontains" for name in BLANKS[model])
        return _any(Q(**{name: text}) for name in names for text in texts)

    def is_named_by(self, row: Any) -> bool:
        """Whether one of the row's personal columns holds the address or number, however it is written."""
        if self.reference:
            named = [_at(row, path) for path in _REFERENCES[type(row)]]
            return self.reference in named or (type(row) in _MIRRORS and self._is_start_of(row.ref_number))
        return any(self._is(text) for name in BLANKS[type(row)] for text in _texts(getattr(row, name)))

    def _is_start_of(self, ref_number: str) -> bool:
        """What the shop calls a customer is sent with a random ending (money-flow 1)."""
        return re.fullmatch(rf"{re.escape(self.reference)}-[a-z2-7]{{10}}", ref_number) is not None

    def _is(self, text: str) -> bool:
        if self.email:
            return _whole(self.email).search(text.casefold()) is not None
        return _phone(text) == self.phone


def _any(conditions: Iterable[Q]) -> Q:
    return reduce(or_, conditions)


def _at(row: Any, path: str) -> Any:
    """A column, also of the row that a foreign key leads to; None where it leads nowhere."""
    return reduce(lambda found, name: getattr(found, name, None), path.split("__"), row)


def _whole(email: str) -> re.Pattern[str]:
    """The address itself, also within a text; not the end of another's."""
    return re.compile(rf"(?<![\w.%+'-]){re.escape(email)}(?![\w-]|\.\w)")


def _phone(text: str) -> str:
    """Digits alone, without ``00`` and Kuwait's code; ``""`` for what is no phone number."""
    digits = phone_digits(text).removeprefix("+").removeprefix("00")
    if not (digits.isascii() and digits.isdigit()) or not 7 <= len(digits) <= 15:
        return ""
    local = digits.removeprefix(_KUWAIT)
    return local if len(local) == _LOCAL else digits


def _texts(value: Any) -> Iterator[str]:
    """Every text and number in a JSON value; a body is read as the JSON that it is, or taken as one text."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str) and value[:1] in "{[" and value:
        yield from _texts_in(value)
    elif value is not None:
        yield str(value)


def _texts_in(body: str) -> Iterator[str]:
    try:
        yield from _texts(json.loads(body))
    except (ValueError, RecursionError):
        yield body
