"""The invoice-paid webhook (contract 5): bytes → payload. It names an invoice; it proves nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django_sadadpay.gateway import jsontext
from django_sadadpay.gateway.coerce import Row, id_text
from django_sadadpay.gateway.fields import WEBHOOK

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

LONGEST_ID = 20


class WebhookError(ValueError):
    """The body cannot be read.

    :ivar code: ``"not_json"``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class WebhookPayload:
    """What a webhook says. ``amount`` is KWD."""

    invoice_id: str = ""
    invoice_code: str = ""
    invoice_key: str = ""
    status: str = ""
    amount: Decimal | None = None
    payment_method: str = ""
    transaction_id: str = ""
    session_id: str = ""
    transaction_status: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


def parse(body: bytes) -> WebhookPayload:
    """Read a body. Keys in any case, ids as number or text (contract 5).

    :raises WebhookError: it is not a JSON object.
    """
    try:
        row = Row(jsontext.loads(body), WEBHOOK)
    except ValueError:
        raise WebhookError("not_json") from None
    return WebhookPayload(
        invoice_id=_digits(row.get("invoice_id")),
        invoice_code=row.text("invoice_code"),
        invoice_key=_digits(row.get("invoice_key")),
        status=row.text("status"),
        amount=row.number("amount"),
        payment_method=row.text("payment_method"),
        transaction_id=row.id("transaction_id"),
        session_id=row.id("session_id"),
        transaction_status=row.text("transaction_status"),
        raw=row.raw,
    )


def _digits(value: object) -> str:
    found = id_text(value)
    return found if found.isascii() and found.isdigit() and len(found) <= LONGEST_ID else ""
