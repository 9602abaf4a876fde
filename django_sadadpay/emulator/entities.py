"""What the stand-in remembers. Money is whole fils, times are seconds since the epoch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(slots=True)
class Record:
    """A record that goes into the state file as a JSON object and comes back from it."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**data)


@dataclass(slots=True)
class Item(Record):
    """One line of an invoice; ``fils`` is the price of one unit (contract 3.1)."""

    id: int
    name: str
    quantity: int
    fils: int
    supplier_id: int = 0
    product_id: int = 0


@dataclass(slots=True)
class Transaction(Record):
    """One try to pay, or a refund, as Sadad lists it inside an invoice (contract 3.3)."""

    id: int
    status: str
    request_type: str
    gateway: str
    gateway_code: str
    fils: int
    created_at: float
    transaction_id: str
    reference_id: str
    track_id: str
    payment_id: str
    answer: str = ""


@dataclass(slots=True)
class Invoice(Record):
    """An invoice (contract 3.2). ``history`` holds earlier replies about it, oldest first.

    ``origin`` and ``origin_id`` name the object that made it ("PaymentLink", 7), ``part`` the instalment or
    bill of it; Sadad is not known to show them, so only the state has them.
    """

    id: int
    key: str
    type: str
    fils: int
    created_at: float
    expires_at: float
    status: str = "Unpaid"
    currency: str = "KWD"
    rate: float = 1.0
    lang: str = "ar"
    send_type: str = ""
    customer_name: str = field(default="", repr=False)
    customer_mobile: str = field(default="", repr=False)
    customer_email: str = field(default="", repr=False)
    ref_number: str = ""
    subtotal_fils: int = 0
    discount_type: str = ""
    discount_amount: str = "0"
    discount_fils: int = 0
    remind_after: int = 0
    comment: str = ""
    terms: str = ""
    terms_enabled: bool = False
    success_url: str | None = None
    fail_url: str | None = None
    deleted: bool = False
    settled: bool = False
    refunded_fils: int = 0
    paid_at: float | None = None
    transaction_id: str | None = None
    gateway: str | None = None
    gateway_code: str | None = None
    order_status: str = ""
    order_session_id: int = 0
    origin: str = ""
    origin_id: int = 0
    part: int = 0
    items: list[Item] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list, repr=False)

    @property
    def code(self) -> str:
        """``INV-`` and the id, padded to five digits (contract 3.2)."""
        return f"INV-{self.id:05d}"

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        nested = {
            "items": [Item.from_json(row) for row in data["items"]],
            "transactions": [Transaction.from_json(row) for row in data["transactions"]],
        }
        return cls(**{**data, **nested})


@dataclass(slots=True)
class Stored(Record):
    """An object of the merchant's: a product, a link, a customer, a plan (contract 10).

    ``kind`` is the API's group. ``values`` are its columns by their names on the wire (see ``columns``).
    """

    kind: str
    id: int
    key: str
    code: str
    created_at: float
    values: dict[str, Any] = field(repr=False)
    deleted: bool = False


@dataclass(slots=True)
class Refund(Record):
    """A refund. ``status`` is ``Pending`` until its money counts in the invoice's ``refunded_Amount``."""

    id: int
    invoice_id: int
    fils: int
    status: str
    source: str
    created_at: float
    due_at: float | None = None


@dataclass(slots=True)
class WebhookMessage(Record):
    """One message to the merchant's webhook (contract 5).

    ``state`` is ``waiting``, ``accepted`` (the receiver said 200), ``given_up`` or ``dropped``.
    ``held`` says that it waits for the next message to overtake it.
    """

    id: int
    invoice_id: int
    payload: dict[str, Any] = field(repr=False)
    created_at: float
    due_at: float
    order: int
    tries: int = 0
    state: str = "waiting"
    last_status: int | None = None
    held: bool = False
    sending: bool = False

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        # Whatever was being sent when the process ended is sent again: that is what Sadad's retries do.
        return cls(**{**data, "sending": False})


@dataclass(slots=True)
class Token(Record):
    """A refresh token (``expires_at`` None: contract 2.1 names no life) or an access token."""

    value: str = field(repr=False)
    kind: str
    expires_at: float | None = None


@dataclass(slots=True)
class Currency(Record):
    """``rate`` × foreign amount = KWD (contract 9)."""

    code: str
    rate: float
    decimals: int
