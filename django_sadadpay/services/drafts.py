"""From the shop's draft to what is sent: checked, in KWD, lines that add up to the fils (money-flow 10)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from functools import reduce
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import get_language

from django_sadadpay import conf, money
from django_sadadpay.models.base import exact
from django_sadadpay.registry import Customer, DraftError, InvoiceDraft, Line, Payable
from django_sadadpay.services import plain, rates, schedule
from django_sadadpay.services.errors import NothingToPay

SEND_TYPES = ("", "SMS", "Email", "Whatsapp", "Link")
_NAME_LIMIT = 200
_PHONE = re.compile(r"\+?[0-9]{3,14}")
#: What people write between digits, and the invisible marks that come along from an Arabic page.
_BETWEEN_DIGITS = re.compile("[\\s()./\u2010-\u2015\u200b-\u200f\u202a-\u202e\u2066-\u2069-]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
#: PostgreSQL stores neither NUL nor half of a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
#: The largest number of units that every database's integer column holds.
_MOST = 2_147_483_647
_FINEST = -30
_EXACT = Context(prec=100)
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
    shop_reference = _reference(draft.reference)
    basket = _basket(draft.lines, amount)
    currency = _currency(draft.currency)
    rate = Decimal(1) if currency == money.KWD else rates.rate(account, currency, now)
    kwd = _positive_kwd(amount, currency, rate)
    return Plan(
        payable=payable,
        object_id=_object_id(payable, obj, draft),
        purpose=_text("purpose", draft.purpose, 50),
        account=account,
        shop_reference=shop_reference,
        currency=currency,
        shop_amount=amount,
        rate=rate,
        amount=kwd,
        lines=_spread(basket, kwd, shop_reference),
        digest=_digest(_spread(basket, amount, shop_reference)),
        language=_language(draft.language),
        customer=_customer(draft.customer),
        expires_at=_expires_at(draft.expires_on, now),
        request=_extras(draft),
    )


def _object_id(payable: Payable[Any], obj: Any, draft: InvoiceDraft) -> str:
    if payable.model is None:
        if not draft.key:
            raise DraftError("key", "a payable without a model needs it")
        return _text("key", draft.key, 255)
    if obj.pk is None:
        raise DraftError("pk", "the object must be saved first")
    return _text("pk", str(obj.pk), 255)


def _money(name: str, value: Any) -> Decimal:
    try:
        return money.parse(value, what=name)
    except money.MoneyError as error:
        raise DraftError(name, str(error).removeprefix(f"{name}: ")) from None


def _positive_kwd(amount: Decimal, currency: str, rate: Decimal) -> Decimal:
    try:
        kwd = amount if currency == money.KWD else money.convert(amount, rate)
    except money.MoneyError as error:
        raise DraftError("amount", str(error).removeprefix("amount: ")) from None
    if kwd <= 0:
        raise DraftError("amount", f"{amount} {currency} is less than one fils")
    return kwd


def _currency(code: Any) -> str:
    if not isinstance(code, str) or not re.fullmatch(r"[A-Za-z]{3}", code):
        raise DraftError("currency", "must be three letters (ISO 4217)")
    return code.upper()


def _language(code: str) -> str:
    if not code:
        return "ar" if (get_language() or "").lower().startswith("ar") else "en"
    chosen = re.split("[-_]", str(code).lower())[0]
    if chosen not in ("en", "ar"):
        raise DraftError("language", "must be en or ar")
    return chosen


def _text(name: str, text: Any, limit: int) -> str:
    """Text that every database stores."""
    if not isinstance(text, str):
        raise DraftError(name, "must be text")
    if len(text) > limit or _UNSTORABLE.search(text):
        raise DraftError(name, f"must have at most {limit} characters, no NUL and no broken ones")
    return text


def _reference(reference: Any) -> str:
    if reference is None:
        raise DraftError("reference", "must be text")
    return _text("reference", str(reference), 100)


def _customer(customer: Any) -> dict[str, str]:
    if not isinstance(customer, Customer):
        raise DraftError("customer", "must be a Customer")
    name = " ".join(plain.upright(str(customer.name or "")).split())
    if not name:
        raise DraftError("customer.name", "Sadad needs a name")
    mobile = phone_digits(str(customer.mobile or ""))
    if mobile and not _PHONE.fullmatch(mobile):
        raise DraftError("customer.mobile", "must be 3 to 14 digits, with an optional +")
    email = str(customer.email or "").strip()
    if email and not _EMAIL.fullmatch(email):
        raise DraftError("customer.email", "is not an e-mail address")
    return {
        "name": _text("customer.name", name, _NAME_LIMIT),
        "mobile": mobile,
        "email": _text("customer.email", email, 254),
    }


def phone_digits(text: str) -> str:
    """A phone number without what people write between its digits, and those in Western figures."""
    return _BETWEEN_DIGITS.sub("", text.translate(_DIGITS))


def _expires_at(day: Any, now: datetime) -> datetime:
    """The end of the link's last day in Kuwait, so that the clock stops before Sadad's can."""
    today = schedule.kuwait_day(now)
    last = today + timedelta(days=conf.current().invoice_valid_days) if day is None else day
    if not isinstance(last, date) or isinstance(last, datetime):
        raise DraftError("expires_on", "must be a date, without a time")
    if last < today:
        raise DraftError("expires_on", "has passed")
    if last > date.max - timedelta(days=2):
        raise DraftError("expires_on", "is too far away")
    end = schedule.end_of(last)
    if end - now < 2 * schedule.LAST_HOUR:
        raise DraftError("expires_on", "has less than two hours left, and no link is given in its last")
    return end


def _extras(draft: InvoiceDraft) -> dict[str, str]:
    if draft.send not in SEND_TYPES:
        raise DraftError("send", "must be one of SMS, Email, Whatsapp, Link or empty")
    return {"send": draft.send, "comment": _text("comment", draft.comment, 500)}


# Lines


def _basket(lines: Iterable[Line], amount: Decimal) -> list[tuple[Line, Decimal]]:
    """The lines that bear a share of the amount, each with its total; zero lines and discounts bear none."""
    if not isinstance(lines, Iterable):
        raise DraftError("lines", "must be Line objects")
    shop = [(line, _line_total(line)) for line in lines]
    _check_sum([total for _, total in shop], amount)
    bearing = [(line, total) for line, total in shop if total > 0]
    _check_suppliers([line for line, _ in bearing])
    return bearing


def _check_suppliers(lines: Sequence[Line]) -> None:
    """Contract 7: a multi-supplier invoice names the supplier of every line."""
    if len({line.supplier_id is None for line in lines}) > 1:
        raise DraftError("lines.supplier_id", "must be on every line, or on none")


def _line_total(line: Any) -> Decimal:
    if not isinstance(line, Line):
        raise DraftError("lines", "must be Line objects")
    _text("lines.name", str(line.name), 10_000)
    supplier = line.supplier_id
    if supplier is not None and (type(supplier) is not int or not 0 < supplier < 2**63):
        raise DraftError("lines.supplier_id", "must be a whole number above zero")
    total = _EXACT.multiply(_money("lines.price", line.price), _quantity(line.quantity))
    if total.copy_abs() > money.LARGEST:
        raise DraftError("lines", "one is too large")
    return total


def _quantity(quantity: Any) -> Decimal:
    if isinstance(quantity, bool) or not isinstance(quantity, (int, Decimal)):
        raise DraftError("lines.quantity", "must be a whole number or a Decimal")
    if isinstance(quantity, Decimal) and not quantity.is_finite():
        raise DraftError("lines.quantity", "must be a number")
    if not 0 < quantity <= _MOST:
        raise DraftError("lines.quantity", f"must be more than zero, at most {_MOST}")
    number = Decimal(quantity)
    if number.quantize(Decimal(1).scaleb(_FINEST), context=_EXACT) != number:
        raise DraftError("lines.quantity", f"must have at most {-_FINEST} places")
    return number


def _check_sum(totals: Sequence[Decimal], amount: Decimal) -> None:
    """Whole quantities must add up exactly; each broken one may be a fils off, as the shop rounded it."""
    if not totals:
        return
    slack = money.from_fils(sum(total != _rounded(total) for total in totals))
    total = reduce(_EXACT.add, totals)
    if _EXACT.subtract(total, amount).copy_abs() > slack:
        raise DraftError("lines", f"add up to {total}, but the amount is {amount}")


def _rounded(total: Decimal) -> Decimal:
    return money.convert(total, Decimal(1))


def _spread(basket: Sequence[tuple[Line, Decimal]], total: Decimal, reference: str) -> tuple[PlanLine, ...]:
    """``total`` over the basket by largest remainder; a line whose share is no whole fils is left out."""
    if not basket:
        return (PlanLine(_cut(reference), 1, total),)
    weights = [max(_rounded(bears), money.from_fils(1)) for _, bears in basket]
    shares = money.split(total, weights)
    return tuple(_fold(line, share) for (line, _), share in zip(basket, shares, strict=True) if share > 0)


def _fold(line: Line, share: Decimal) -> PlanLine:
    """The line with its share; folded to quantity 1 where that is no whole unit price times the quantity."""
    name = _cut(line.name)
    whole = int(line.quantity)
    if whole == line.quantity and money.fils(share) % whole == 0:
        return PlanLine(name, whole, money.from_fils(money.fils(share) // whole), line.supplier_id)
    count = f"{Decimal(line.quantity).normalize(_EXACT):f}"
    return PlanLine(_cut(f"{count} × {name}"), 1, share, line.supplier_id)


def _cut(name: Any) -> str:
    return " ".join(str(name).split())[:_NAME_LIMIT] or "–"


def _digest(lines: Sequence[PlanLine]) -> str:
    """What the buyer sees in the basket: a change of it makes a new invoice (money-flow 3.1).

    :param lines: as they would be sent if the shop's currency were KWD, so that a new rate changes nothing.
    """
    rows = [[line.name, line.quantity, str(line.amount), line.supplier_id] for line in lines]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()
