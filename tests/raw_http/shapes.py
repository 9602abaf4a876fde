"""What a reply's fields look like, written from the contract and checked against the real replies."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.raw_http.wire import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _date(value: Any) -> bool:
    return (
        isinstance(value, str)
        and bool(re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d", value))
        and bool(moment(value))
    )


def _integer(value: Any) -> bool:
    return type(value) is int


KINDS: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "integer": _integer,
    "number": lambda value: type(value) in (int, float),
    "flag": lambda value: isinstance(value, bool),
    "date": _date,
    "rows": lambda value: isinstance(value, list),
    "key": lambda value: isinstance(value, str) and value.isascii() and value.isdigit(),
    "short": lambda value: isinstance(value, str) and len(value) == 50 and value.strip() != "",
}

#: Contract 3.2; a question mark allows null.
INVOICE: Mapping[str, str] = {
    "id": "integer", "vendor_Id": "integer", "code": "text", "type": "text", "status": "text",
    "amount": "number", "alt_Amount": "number", "total": "number", "subtotal": "number",
    "refunded_Amount": "number", "sendType": "text", "lang": "text", "customer_Name": "text",
    "customer_Mobile": "text", "customer_Email": "text", "ref_Number": "text", "currency_Code": "text",
    "discount_Type": "text", "discount_Amount": "number", "discount_Amount_Total": "number",
    "expiry_Date": "date", "attachment": "text", "remind_After": "integer", "comment": "text",
    "terms_Condition_Enabled": "flag", "terms_Condition": "text", "key": "key", "items": "rows",
    "transactions": "rows", "transactionID": "text?", "paymentGateway": "text?",
    "paymentGatewayCode": "text?",
    "deleted": "flag", "url": "text", "qr": "text", "orderStatus": "text", "success_ReturnURL": "text?",
    "fail_ReturnURL": "text?", "orderSession_Id": "integer", "createDate": "date", "payment_Date": "date?",
    "payment_Methods": "text", "short_url": "text", "shortLink": "short",
}  # fmt: skip
ITEM: Mapping[str, str] = {
    "id": "integer", "name": "text", "quantity": "number", "amount": "number", "alt_Amount": "number",
    "supplierId": "integer", "supplierInvoiceId": "integer", "supplierVendorFees": "number",
    "supplierFinalAmount": "number", "supplierRefundTransactionId": "text",
}  # fmt: skip
#: Contract 3.3: what a third party reads, and the panel's table.
TRANSACTION: Mapping[str, str] = {
    "id": "integer", "status": "text", "invoice_Id": "integer", "transactionId": "text",
    "referenceId": "text", "trackId": "text", "paymentId": "text", "createDate": "date",
    "request_Type": "text",
    "paymentGateway": "text", "paymentGatewayCode": "text", "amount": "number", "currencyCode": "text",
}  # fmt: skip


def amiss(shape: Mapping[str, str], value: Mapping[str, Any]) -> list[str]:
    """The fields of ``shape`` that are missing or of another type."""
    return [name for name, kind in shape.items() if name not in value or not _fits(kind, value[name])]


def _fits(kind: str, value: Any) -> bool:
    return (kind.endswith("?") and value is None) or KINDS[kind.rstrip("?")](value)


def differing(sent: Mapping[str, Any], got: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The fields that were sent and do not come back the same: name → (sent, got)."""
    return {name: (value, got.get(name)) for name, value in sent.items() if not _same(value, got.get(name))}


def _same(sent: Any, got: Any) -> bool:
    if type(got) in (int, float) and isinstance(sent, (str, int)) and not isinstance(sent, bool):
        return Decimal(str(sent)) == Decimal(str(got))
    if isinstance(sent, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", sent) and isinstance(got, str):
        return _date(got) and moment(got).date() == date.fromisoformat(sent)
    if type(sent) is int and isinstance(got, str):
        return str(sent) == got  # where a shape does not say which, either will do
    return type(sent) is type(got) and bool(sent == got)
