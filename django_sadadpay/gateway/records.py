"""What Sadad sends back, as frozen dataclasses.

Ids are text, money is KWD as it came (not rounded), times are aware UTC. What is missing or re-typed is empty
or None, and every reply stays whole in ``raw``. ``from_wire`` raises ValueError only for what is no object:
the real one grew between 2023 and 2026 (contract 3.2), and will again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from django_sadadpay.gateway import fields
from django_sadadpay.gateway.coerce import Row, id_text

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

_KEYS = (
    ("id", "id"),
    ("transaction_id", "transactionId"),
    ("payment_id", "paymentId"),
    ("reference_id", "referenceId"),
    ("track_id", "trackId"),
)


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """A line of an invoice. ``amount`` is the unit price in KWD (contract 3.1)."""

    id: str = ""
    name: str = ""
    quantity: Decimal | None = None
    amount: Decimal | None = None
    supplier_id: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_wire(cls, raw: object, reply: tuple[fields.Field, ...] = fields.ITEM_REPLY) -> Self:
        row = Row(raw, reply)
        return cls(
            id=row.id("id"),
            name=row.text("name"),
            quantity=row.number("quantity"),
            amount=row.number("amount"),
            supplier_id=row.id("supplier_id"),
            raw=row.raw,
        )


@dataclass(frozen=True, slots=True)
class TransactionRecord:
    """A payment attempt on an invoice (contract 3.3). ``amount`` is KWD."""

    id: str = ""
    transaction_id: str = ""
    reference_id: str = ""
    track_id: str = ""
    payment_id: str = ""
    status: str = ""
    request_type: str = ""
    gateway: str = ""
    gateway_code: str = ""
    amount: Decimal | None = None
    currency: str = ""
    created_at: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_wire(cls, raw: object, reply: tuple[fields.Field, ...] = fields.TRANSACTION_REPLY) -> Self:
        row = Row(raw, reply)
        return cls(
            id=row.id("id"),
            transaction_id=row.id("transaction_id"),
            reference_id=row.id("reference_id"),
            track_id=row.id("track_id"),
            payment_id=row.id("payment_id"),
            status=row.text("status"),
            request_type=row.text("request_type"),
            gateway=row.text("gateway"),
            gateway_code=row.text("gateway_code"),
            amount=row.number("amount"),
            currency=row.text("currency"),
            created_at=row.moment("created_at"),
            raw=row.raw,
        )

    @property
    def key(self) -> str:
        """The first id that it carries, with its name (``"id:14"``); ``""`` if it carries none."""
        return next((f"{wire}:{getattr(self, name)}" for name, wire in _KEYS if getattr(self, name)), "")


@dataclass(frozen=True, slots=True)
class InvoiceRecord:
    """An invoice as Sadad has it (contract 3.2). Amounts are KWD; only ``alt_amount`` is in ``currency``."""

    id: str = ""
    key: str = ""
    code: str = ""
    type: str = ""
    status: str = ""
    amount: Decimal | None = None
    alt_amount: Decimal | None = None
    total: Decimal | None = None
    subtotal: Decimal | None = None
    refunded_amount: Decimal | None = None
    currency: str = ""
    ref_number: str = ""
    lang: str = ""
    url: str = ""
    qr_url: str = ""
    short_url: str = ""
    short_link: str = ""
    deleted: bool = False
    created_at: datetime | None = None
    expires_at: datetime | None = None
    paid_at: datetime | None = None
    transaction_id: str = ""
    payment_gateway: str = ""
    payment_gateway_code: str = ""
    order_session_id: str = ""
    customer_name: str = field(default="", repr=False)
    customer_mobile: str = field(default="", repr=False)
    customer_email: str = field(default="", repr=False)
    items: tuple[ItemRecord, ...] = ()
    transactions: tuple[TransactionRecord, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_wire(cls, raw: object, reply: tuple[fields.Field, ...] = fields.INVOICE_REPLY) -> Self:
        """:param reply: the fields of the reply, in the account's own spelling."""
        row = Row(raw, reply)
        inner = {field.name: field.items for field in reply}
        return cls(
            id=row.id("id"),
            key=row.id("key"),
            code=row.text("code"),
            type=row.text("type"),
            status=row.text("status"),
            amount=row.number("amount"),
            alt_amount=row.number("alt_amount"),
            total=row.number("total"),
            subtotal=row.number("subtotal"),
            refunded_amount=row.number("refunded_amount"),
            currency=row.text("currency"),
            ref_number=row.text("ref_number"),
            lang=row.text("lang"),
            url=row.text("url"),
            qr_url=row.text("qr_url"),
            short_url=row.text("short_url"),
            short_link=row.text("short_link"),
            deleted=row.get("deleted") is True,
            created_at=row.moment("created_at"),
            expires_at=row.moment("expires_at"),
            paid_at=row.moment("paid_at"),
            transaction_id=row.id("transaction_id"),
            payment_gateway=row.text("payment_gateway"),
            payment_gateway_code=row.text("payment_gateway_code"),
            order_session_id=row.id("order_session_id"),
            customer_name=row.text("customer_name"),
            customer_mobile=row.text("customer_mobile"),
            customer_email=row.text("customer_email"),
            items=tuple(ItemRecord.from_wire(item, inner["items"]) for item in row.rows("items")),
            transactions=tuple(
                TransactionRecord.from_wire(item, inner["transactions"]) for item in row.rows("transactions")
            ),
            raw=row.raw,
        )


@dataclass(frozen=True, slots=True)
class RefundReceipt:
    """The answer to Refund/insert. ``refund_id`` is ``"true"`` where it was the boolean (contract 6.1)."""

    refund_id: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_wire(cls, raw: object, reply: tuple[fields.Field, ...] = fields.REFUND_REPLY) -> Self:
        row = Row(raw, reply)
        return cls(refund_id=row.id("refund_id"), raw=row.raw)


@dataclass(frozen=True, slots=True)
class RefundRecord:
    """A row of Refund/getall, whose fields are not documented (contract 6.2). ``amount`` is taken for KWD."""

    id: str = ""
    invoice_id: str = ""
    amount: Decimal | None = None
    status: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_wire(cls, raw: object, reply: tuple[fields.Field, ...] = fields.REFUND_ROW_REPLY) -> Self:
        row = Row(raw, reply)
        return cls(
            id=row.id("id"),
            invoice_id=row.id("invoice_id"),
            amount=row.number("amount"),
            status=row.text("status"),
            raw=row.raw,
        )


@dataclass(frozen=True, slots=True)
class CurrencyRate:
    """A row of Common/getcurrencies: foreign amount x ``rate`` = KWD (contract 9)."""

    code: str
    rate: Decimal
    decimals: int = 3
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_wire(cls, raw: object, reply: tuple[fields.Field, ...] = fields.CURRENCY_REPLY) -> Self | None:
        """None for a row without a three-letter code or a rate above zero: it converts nothing."""
        row = Row(raw, reply)
        code, rate, decimals = row.text("code").upper(), row.number("rate"), row.number("decimals")
        if len(code) != 3 or not code.isalpha() or rate is None or rate <= 0:
            return None
        usable = decimals is not None and decimals == decimals.to_integral_value() and 0 <= decimals <= 6
        return cls(code=code, rate=rate, decimals=int(decimals or 0) if usable else 3, raw=row.raw)


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """An object of a group whose replies are not documented (contract 10).

    :ivar id, key: ``""`` where the reply tells none, as after an update.
    :ivar raw: the whole reply, by Sadad's names; an id alone stands under ``id``.
    """

    id: str = ""
    key: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_wire(cls, raw: object, reply: tuple[fields.Field, ...] = ()) -> Self:
        """Never raises: of what is no object and no id, nothing is known but that the call succeeded."""
        if not isinstance(raw, Mapping):
            found = "" if isinstance(raw, bool) else id_text(raw)
            return cls(id=found, raw={"id": raw} if found else {})
        named = {field.name for field in reply}
        row = Row(raw, (*reply, *(field for field in _NAMED if field.name not in named)))
        return cls(id=row.id("id"), key=row.id("key"), raw=row.raw)


_NAMED = fields.rows("assumed", "id=id:any key=key:any")


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """An embedded order session (contract 8.2). Its id lets the browser pay: not shown in repr."""

    session_id: str = field(default="", repr=False)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_wire(cls, raw: object, reply: tuple[fields.Field, ...]) -> Self:
        row = Row(raw, reply)
        return cls(session_id=row.text("session_id"), raw=row.raw)
