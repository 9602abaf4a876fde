"""What a merchant may write into an invoice, and what Sadad refuses (contract 3.1, 11)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from django_sadadpay.emulator import wire
from django_sadadpay.emulator.binding import Fields
from django_sadadpay.emulator.entities import Item
from django_sadadpay.emulator.protocol import Refusal

if TYPE_CHECKING:
    from django_sadadpay.emulator.entities import Currency
    from django_sadadpay.emulator.state import World

SEND_TYPES = ("", "SMS", "Email", "Whatsapp", "Link")


@dataclass(slots=True)
class Draft:
    """The merchant's own fields of an invoice, checked. Lines have no ids yet."""

    values: dict[str, Any]
    items: list[Item] = field(default_factory=list)


def read(world: World, value: Any, name: str = "Invoices") -> Draft:
    """Read and check one invoice object; the server's own fields are ignored. Raises ``Refusal``."""
    fields = Fields(value, name)
    items = _items(fields)
    values = {
        "type": _type(fields, items),
        **_amounts(fields, items),
        **_customer(fields),
        **_language_and_currency(world, fields),
        **_options(fields),
        "expires_at": expiry(world, fields.text("expiry_Date")),
    }
    return Draft(values, items)


def _items(fields: Fields) -> list[Item]:
    return [_item(Fields(row, "items")) for row in fields.rows("items")]


def _item(fields: Fields) -> Item:
    quantity = fields.integer("quantity")
    if quantity < 1:  # which key Sadad uses is unknown: assumed to be the one for an amount of nothing
        raise Refusal("AmountRequired")
    return Item(
        id=0,
        name=fields.text("name"),
        quantity=quantity,
        fils=fields.fils("amount", "AmountRequired"),
        supplier_id=fields.integer("supplierId"),
    )


def _type(fields: Fields, items: list[Item]) -> str:
    """Only MultiVendorInvoice is taken from the merchant, with a supplier on every line (contract 7)."""
    if fields.text("type") != "MultiVendorInvoice":
        return "Invoice"
    if not items or any(item.supplier_id < 1 for item in items):
        raise Refusal("SupplierIdRequired")  # the key is assumed
    return "MultiVendorInvoice"


def _amounts(fields: Fields, items: list[Item]) -> dict[str, Any]:
    fils = fields.fils("amount", "AmountRequired")
    kind = fields.text("discount_Type")
    given = fields.decimal("discount_Amount") or Decimal(0)
    subtotal = sum(item.quantity * item.fils for item in items)
    discount = _discount(kind, given, subtotal or fils)
    if items and subtotal - discount != fils:
        raise Refusal("InvoiceAmountMustEqualsToTotalItemsAmount")
    return {
        "fils": fils,
        "subtotal_fils": fils + discount,
        "discount_type": kind,
        "discount_amount": str(given if kind else Decimal(0)),
        "discount_fils": discount,
    }


def _discount(kind: str, given: Decimal, subtotal: int) -> int:
    """Fils taken off; a percentage is of the lines' sum (contract 3.1; the rounding is assumed)."""
    if kind not in ("", "Amount", "Percent"):
        raise Refusal("InvalidInvoiceDiscountType")
    if not kind:
        return 0
    if given <= 0:
        raise Refusal("DiscountAmountRequired")
    exact = given * 1000 if kind == "Amount" else subtotal * given / 100
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _customer(fields: Fields) -> dict[str, Any]:
    name, mobile, email = (fields.text(f"customer_{part}") for part in ("Name", "Mobile", "Email"))
    send_type = fields.text("sendType")
    if not name.strip():
        raise Refusal("CustomerNameRequired")
    if send_type not in SEND_TYPES:
        raise Refusal("InvalidSendType")
    if send_type == "SMS" and not mobile:
        raise Refusal("CustomerMobileRequired")
    if send_type == "Email" and not email:
        raise Refusal("CustomerEmailRequired")
    return {
        "customer_name": name,
        "customer_mobile": mobile,
        "customer_email": email,
        "send_type": send_type,
    }


def _language_and_currency(world: World, fields: Fields) -> dict[str, Any]:
    """Arabic and KWD when left out (contract 3.1)."""
    lang = language(fields.text("lang") or "ar")
    money = currency(world, fields.text("currency_Code") or "KWD")
    return {"lang": lang, "currency": money.code, "rate": money.rate}


def language(text: str) -> str:
    """Two letters, as they were sent. Raises ``Refusal`` InvalidLanguageCode."""
    if not re.fullmatch("[A-Za-z]{2}", text):
        raise Refusal("InvalidLanguageCode")
    return text


def currency(world: World, code: str) -> Currency:
    """One that Sadad lists. Raises ``Refusal`` InvalidCurrencyCode."""
    found = world.currencies.get(code.upper())
    if found is None:
        raise Refusal("InvalidCurrencyCode")
    return found


def _options(fields: Fields) -> dict[str, Any]:
    return {
        "ref_number": fields.text("ref_Number"),
        "remind_after": fields.integer("remind_After"),
        "comment": fields.text("comment"),
        "terms": fields.text("terms_Condition"),
        "terms_enabled": fields.flag("terms_Condition_Enabled"),
        "success_url": fields.text("Success_ReturnURL") or None,
        "fail_url": fields.text("Fail_ReturnURL") or None,
    }


def expiry(world: World, text: str) -> float:
    """Midnight in Kuwait of the date sent, else of today plus the merchant's valid days (contract 3.1)."""
    if not text:
        today = wire.local_time(world.now()).replace(hour=0, minute=0, second=0, microsecond=0)
        return (today + timedelta(days=world.settings.valid_days)).timestamp()
    return read_date(text)


def read_date(text: str) -> float:
    """Seconds since the epoch of a ``yyyy-MM-dd``, with or without a time, in Kuwait (contract 12)."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal("InvalidDateFormat") from None
    if not 2000 <= moment.year <= 2200:
        raise Refusal("InvalidDateFormat")
    return (moment if moment.tzinfo else moment.replace(tzinfo=wire.KUWAIT)).timestamp()
