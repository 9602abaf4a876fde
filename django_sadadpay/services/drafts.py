"""From the shop's draft to what is sent: checked, in KWD, with lines that add up to the fils (money-flow 10)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import get_language

from django_sadadpay import conf, money
from django_sadadpay.models.base import exact
from django_sadadpay.registry import Customer, DraftError, InvoiceDraft, Line, Payable
from django_sadadpay.services import rates, schedule
from django_sadadpay.services.errors import NothingToPay

SEND_TYPES = ("", "SMS", "Email", "Whatsapp", "Link")
_NAME_LIMIT = 200
_PHONE = re.compile(r"\+?\d{3,14}")
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")


@dataclass(frozen=True)
class PlanLine:
    """A line as it goes to Sadad: unit price in KWD."""

    name: str
    quantity: int
    amount: Decimal
    supplier_id: int | None = None


@dataclass(frozen=True)
class Plan:
    """A checked draft, ready to become an invoice. ``amount`` is KWD, fixed from now on."""

    payable: Payable[Any]
    object_id: str
    purpose: str
    account: conf.Account
    shop_reference: str
    currency: str
    shop_amount: Decimal
    rate: Decimal
    amount: Decimal
    lines: tuple[PlanLine, ...]
    digest: str
    language: str
    customer: dict[str, str] = field(repr=False)
    expires_at: datetime
    request: dict[str, str]

    @property
    def slot(self) -> str:
        return exact(self.payable.name, self.object_id, self.purpose)

    @property
    def object_key(self) -> str:
        return exact(self.payable.name, self.object_id)

    @property
    def kind(self) -> str:
        return "MultiVendorInvoice" if any(line.supplier_id for line in self.lines) else "Invoice"


def plan(payable: Payable[Any], obj: Any, now: datetime) -> Plan:
    """Ask the payable for its draft and check it.

    :raises DraftError: names the field that cannot be used; nothing was stored or sent.
    :raises NothingToPay: the amount is zero.
    :raises TryAgain: a foreign currency whose rate is too old and cannot be had.
    """
    draft = payable.draft(obj)
    if not isinstance(draft, InvoiceDraft):
        raise ImproperlyConfigured(f"{payable.name}: draft() must return an InvoiceDraft")
    amount = _money("amount", draft.amount)
    if amount == 0:
        raise NothingToPay
    if amount < 0:
        raise DraftError("amount", "must not be negative")
    account = conf.current().account(payable.account(obj))
    currency = _currency(draft.currency)
    rate = Decimal(1) if currency == money.KWD else rates.rate(account, currency, now)
    kwd = _positive_kwd(amount, currency, rate)
    shop_lines = tuple(draft.lines)
    return Plan(
        payable=payable,
        object_id=_object_id(payable, obj, draft),
        purpose=_short("purpose", draft.purpose, 50),
        account=account,
        shop_reference=_short("reference", str(draft.reference), 100),
        currency=currency,
        shop_amount=amount,
        rate=rate,
        amount=kwd,
        lines=_lines(shop_lines, amount, kwd, str(draft.reference)),
        digest=_digest(shop_lines),
        language=_language(draft.language),
        customer=_customer(draft.customer),
        expires_at=_expires_at(draft.expires_on, now),
        request=_extras(draft),
    )


def _object_id(payable: Payable[Any], obj: Any, draft: InvoiceDraft) -> str:
    if payable.model is None:
        if not draft.key:
            raise DraftError("key", "a payable without a model needs it")
        return _short("key", draft.key, 255)
    if obj.pk is None:
        raise DraftError("pk", "the object must be saved first")
    return _short("pk", str(obj.pk), 255)


def _money(name: str, value: Any) -> Decimal:
    try:
        return money.parse(value, what=name)
    except money.MoneyError as error:
        raise DraftError(name, str(error).removeprefix(f"{name}: ")) from None


def _positive_kwd(amount: Decimal, currency: str, rate: Decimal) -> Decimal:
    try:
        kwd = amount if currency == money.KWD else money.convert(amount, rate)
    except money.MoneyError as error:
        raise DraftError("amount", str(error)) from None
    if kwd <= 0:
        raise DraftError("amount", f"{amount} {currency} is less than one fils")
    return kwd


def _currency(code: str) -> str:
    if not isinstance(code, str) or not re.fullmatch(r"[A-Za-z]{3}", code):
        raise DraftError("currency", "must be three letters (ISO 4217)")
    return code.upper()


def _language(code: str) -> str:
    chosen = (code or get_language()).lower()[:2]
    if code and chosen not in ("en", "ar"):
        raise DraftError("language", "must be en or ar")
    return chosen if chosen in ("en", "ar") else "en"


def _short(name: str, text: str, limit: int) -> str:
    if len(text) > limit or "\x00" in text:
        raise DraftError(name, f"must have at most {limit} characters and no NUL")
    return text


def _customer(customer: Any) -> dict[str, str]:
    if not isinstance(customer, Customer):
        raise DraftError("customer", "must be a Customer")
    name = " ".join(str(customer.name).split())
    if not name:
        raise DraftError("customer.name", "Sadad needs a name")
    mobile = re.sub(r"[\s().-]", "", str(customer.mobile or "").translate(_DIGITS))
    if mobile and not _PHONE.fullmatch(mobile):
        raise DraftError("customer.mobile", "must be 3 to 14 digits, with an optional +")
    email = str(customer.email or "").strip()
    if email and ("@" not in email or any(c.isspace() for c in email)):
        raise DraftError("customer.email", "is not an e-mail address")
    return {
        "name": _short("customer.name", name, _NAME_LIMIT),
        "mobile": mobile,
        "email": _short("customer.email", email, 254),
    }


def _expires_at(day: date | None, now: datetime) -> datetime:
    """The end of the link's last day in Kuwait, so that the clock stops before Sadad's can."""
    today = schedule.kuwait_day(now)
    last = day or today + timedelta(days=conf.current().invoice_valid_days)
    if last < today:
        raise DraftError("expires_on", "has passed")
    return schedule.end_of(last)


def _extras(draft: InvoiceDraft) -> dict[str, str]:
    if draft.send not in SEND_TYPES:
        raise DraftError("send", "must be one of SMS, Email, Whatsapp, Link or empty")
    return {"send": draft.send, "comment": _short("comment", draft.comment, 500)}


# Lines


def _lines(shop: Sequence[Line], amount: Decimal, kwd: Decimal, reference: str) -> tuple[PlanLine, ...]:
    totals = [_line_total(line) for line in shop]
    _check_sum(totals, amount)
    bearing = [(line, total) for line, total in zip(shop, totals, strict=True) if total > 0]
    if not bearing:
        return (PlanLine(_cut(reference) or "1", 1, kwd),)
    weights = [max(_rounded(total), Decimal("0.001")) for _, total in bearing]
    shares = money.split(kwd, weights)
    return tuple(_fold(line, share) for (line, _), share in zip(bearing, shares, strict=True) if share > 0)


def _line_total(line: Line) -> Decimal:
    quantity = line.quantity
    if isinstance(quantity, bool) or not isinstance(quantity, (int, Decimal)):
        raise DraftError("lines.quantity", "must be a whole number or a Decimal")
    if not Decimal(quantity).is_finite() or quantity <= 0:
        raise DraftError("lines.quantity", "must be more than zero")
    return _money("lines.price", line.price) * quantity


def _check_sum(totals: Sequence[Decimal], amount: Decimal) -> None:
    """Lines of whole quantities must add up exactly; each broken quantity may be rounded by the shop, at most a fils."""
    if not totals:
        return
    slack = sum(Decimal("0.001") for total in totals if total != _rounded(total))
    if abs(sum(totals) - amount) > slack:
        raise DraftError("lines", f"add up to {sum(totals)}, but the amount is {amount}")


def _rounded(total: Decimal) -> Decimal:
    return money.convert(total, Decimal(1))


def _fold(line: Line, share: Decimal) -> PlanLine:
    """The line with its share; folded to quantity 1 where the share is not a whole unit price times the quantity."""
    name = _cut(line.name)
    whole = int(line.quantity)
    if whole == line.quantity and money.fils(share) % whole == 0:
        return PlanLine(name, whole, money.from_fils(money.fils(share) // whole), line.supplier_id)
    count = f"{Decimal(line.quantity).normalize():f}"
    return PlanLine(_cut(f"{count} × {name}"), 1, share, line.supplier_id)


def _cut(name: str) -> str:
    return " ".join(str(name).split())[:_NAME_LIMIT] or "–"


def _digest(lines: Sequence[Line]) -> str:
    """What the buyer sees in the basket: a change of it makes a new invoice (money-flow 3.1)."""
    rows = [
        [line.name, str(money.parse(line.price)), str(Decimal(line.quantity).normalize()), line.supplier_id]
        for line in lines
    ]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()
