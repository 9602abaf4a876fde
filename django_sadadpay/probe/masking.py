"""Replies made fit to be kept and shown: personal values, keys, tokens and ids are replaced, shapes stay.

Nothing is kept unless it is known to be harmless. The same value gets the same mask everywhere, also inside
another text: the id 68141 in ``INV-68141``, in a pay link and at the end of the invoice's key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django_sadadpay.gateway.coerce import fold, moment
from django_sadadpay.gateway.endpoints import ENDPOINTS

if TYPE_CHECKING:
    from django_sadadpay.gateway.fields import Field

#: Fields (without case and underscores) where words of Sadad's own stand.
_FIELDS = frozenset(
    {
        "status",
        "type",
        "orderstatus",
        "requesttype",
        "lang",
        "currency",
        "currencycode",
        "code",
        "paymentgateway",
        "paymentgatewaycode",
        "paymentmethods",
        "paymentmethod",
        "sendtype",
        "discounttype",
        "refundtype",
        "billperiod",
        "durationperiod",
        "payper",
        "latefeestype",
        "freetrialperiod",
        "freetrialposition",
    }
)
#: Those words (contract 3 to 10). Any other is masked even there: it could be a name.
_WORDS = frozenset(
    (
        *("Unpaid", "Paid", "Deposited", "Expired", "Canceled", "Cancelled", "Refunded"),
        *("WaitingRefund", "Partial", "Pending", "InProcess", "Completed", "Active", "Suspended"),
        *("Closed", "New", "PartiallyCompleted", "Upcoming", "Missed", "Failed", "Success"),
        *("Captured", "Invoice", "Order", "MultiVendorInvoice", "PaymentLink", "ProductLink"),
        *("InstallmentPlan", "Subscription", "Payment", "Refund", "Knet", "KNET", "Visa"),
        *("MasterCard", "CreditCard", "Card", "ApplePay", "GooglePay", "SamsungPay"),
        *("AmericanExpress", "Link", "SMS", "Email", "Mail", "WhatsApp", "None", "Fixed"),
        *("Percentage", "Amount", "DeductFromBalance", "Daily", "Weekly", "Monthly", "Quarterly"),
        *("Yearly", "Manual", "NoLateFees", "FixedPerDay", "FixedPerMonth", "PercentagePerMonth"),
        *("Begin", "End", "KWD", "USD", "EUR", "GBP", "SAR", "AED", "BHD", "QAR", "OMR"),
    )
)
#: Numbers that are neither ids nor about the account's other business.
_COUNTS = frozenset(
    {
        "quantity",
        "decimalplacement",
        "expiredafterseconds",
        "number",
        "sort",
        "remindafter",
        "installmentcount",
        "durationno",
        "billno",
        "graceperiod",
        "freetrialno",
        "maxsuspendcycle",
        "autocloseafter",
        "conversionrate",
    }
)
_MONEY = re.compile(r"(amount|price|total|subtotal|fees|amounttotal|rate|value)$")
_ADDRESS = re.compile(r"(https?://)([^/\s]+)(.*)", re.DOTALL)
_RUN = re.compile(r"[0-9]+|[^\W\d_]+", re.UNICODE)


def _names(fields: Iterable[Field]) -> Iterator[str]:
    for field in fields:
        yield fold(field.wire)
        yield from _names(field.items)


#: Names of fields that the table knows. An object could be keyed by anything else, a person's name too.
_KNOWN = frozenset(
    {"totalcount", *(name for row in ENDPOINTS.values() for name in _names((*row.fields, *row.reply)))}
)


class Masker:
    """Masks consistently for as long as it lives.

    :param ours: texts that hold this are the probe's own and stay as they are.
    """

    def __init__(self, ours: str) -> None:
        self._ours = ours
        self._masks: dict[str, str] = {}
        self._counts: dict[tuple[str, int], int] = {}

    def reply(self, response: Any) -> Any:
        """A copy of a ``response``, names and values masked but for the harmless ones; types stay."""
        return self._value("", response)

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {self._name(str(key)): self._value(fold(str(key)), item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._value(name, item) for item in value]
        if isinstance(value, str):
            return self._text(name, value)
        if value is None or isinstance(value, bool):
            return value
        return self._number(name, value)

    def _name(self, name: str) -> str:
        return name if fold(name) in _KNOWN else self._shape(name)

    def _number(self, name: str, value: int | Decimal) -> int | float:
        whole = isinstance(value, int)
        if name in _COUNTS or _MONEY.search(name) or value == 0:
            return int(value) if whole else float(value)
        if whole:
            return int(self._digits(str(abs(int(value))))) * (-1 if value < 0 else 1)
        return float(self._shape(str(value)))

    def _text(self, name: str, value: str) -> str:
        if not value.strip() or value in ("en", "ar", "KWD") or moment(value) is not None:
            return value
        if self._ours in value and "://" not in value:
            return value if value.startswith(self._ours) else self._shape(value)
        if name in _FIELDS and value in _WORDS:
            return value
        address = _ADDRESS.fullmatch(value)
        if address:
            return f"{address[1]}host.example{self._shape(address[3])}"
        return self._shape(value)

    def _shape(self, text: str) -> str:
        """Digits for digits and letters for letters; blanks and punctuation as they are."""
        return _RUN.sub(lambda run: self._run(run[0]), text)

    def _run(self, run: str) -> str:
        if run.isascii() and run.isdigit():
            return self._digits(run)
        return self._mask(run, "x")

    def _digits(self, text: str) -> str:
        """An invoice's key is eight digits and its id (contract 3.2): the mask's too."""
        tail = text[8:]
        if text not in self._masks and tail in self._masks:
            self._masks[text] = self._mask(text[:8], "1") + self._masks[tail]
        return self._mask(text, "1")

    def _mask(self, text: str, fill: str) -> str:
        """As long as the text, and different from every other mask while there are enough of that length."""
        if text not in self._masks:
            kind = (fill, len(text))
            self._counts[kind] = count = self._counts.get(kind, 0) + 1
            self._masks[text] = _numbered(count, len(text)) if fill == "1" else _lettered(count, len(text))
        return self._masks[text]


def _numbered(count: int, length: int) -> str:
    """The 1st of five digits is 10001; without a leading 0, for it may be a JSON number."""
    first = 10 ** (length - 1)
    return str(first + count % (9 * first))


def _lettered(count: int, length: int) -> str:
    """The 1st of five letters is xxxxa."""
    return _letters(count).rjust(length, "x")[-length:]


def _letters(count: int) -> str:
    """1 → a, 26 → z, 27 → aa."""
    text = ""
    while count:
        count, digit = divmod(count - 1, 26)
        text = chr(ord("a") + digit) + text
    return text
