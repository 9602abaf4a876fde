"""How Sadad writes amounts, dates, and an invoice exactly as ``getbyid`` shows it (contract 3.2, 3.3)."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_sadadpay.emulator.entities import Invoice, Item, Transaction
    from django_sadadpay.emulator.state import World

#: Kuwait has no summer time (contract 3.2: createDate is Kuwait local time).
KUWAIT = timezone(timedelta(hours=3))

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def number(fils: int) -> int | float:
    """Fils as the JSON number of dinars: 996, 127.5."""
    return fils // 1000 if fils % 1000 == 0 else fils / 1000


def decimal_text(fils: int) -> str:
    """Fils as dinars with three decimals, as a merchant would write them: 127.500."""
    return f"{fils // 1000}.{fils % 1000:03d}"


def plain(value: Decimal) -> int | float:
    """A decimal as a JSON number."""
    return int(value) if value == value.to_integral_value() else float(value)


def local_time(seconds: float) -> datetime:
    """An instant on Kuwait's clock."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(KUWAIT)


def date_text(seconds: float | None) -> str | None:
    """``MM/dd/yyyy HH:mm:ss`` in Kuwait time (contract 12)."""
    return None if seconds is None else local_time(seconds).strftime("%m/%d/%Y %H:%M:%S")


def foreign(fils: int, invoice: Invoice) -> int | float:
    """The amount in the invoice's currency: 0 for KWD, else with the noise of the documented sample.

    The sample's 18.000000128746034 (contract 3.2) is 5.58 times 1/0.31 held in single precision.
    """
    if invoice.currency == "KWD":
        return 0
    inverse: float = struct.unpack("f", struct.pack("f", 1 / invoice.rate))[0]
    return fils / 1000 * inverse


def short_link(invoice_id: int) -> str:
    """The id in base 62 (Hj3 is 68141), padded with blanks to 50 characters (contract 3.2, samples)."""
    text = ""
    while invoice_id:
        invoice_id, digit = divmod(invoice_id, 62)
        text = BASE62[digit] + text
    return text.ljust(50)


def pay_url(world: World, invoice: Invoice) -> str:
    return f"{world.base_url}/pay/{invoice.key}"


def item(row: Item, invoice: Invoice) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "amount": number(row.fils),
        "quantity": row.quantity,
        "alt_Amount": foreign(row.fils, invoice),
        "supplierId": row.supplier_id,
        "supplierInvoiceId": 0,
        "supplierVendorFees": 0,
        "supplierFinalAmount": 0,
        "supplierRefundTransactionId": "",
    }


def transaction(row: Transaction, invoice: Invoice) -> dict[str, Any]:
    return {
        "id": row.id,
        "invoice_Id": invoice.id,
        "transactionId": row.transaction_id,
        "referenceId": row.reference_id,
        "trackId": row.track_id,
        "paymentId": row.payment_id,
        "request_Type": row.request_type,
        "status": row.status,
        "paymentGateway": row.gateway,
        "paymentGatewayCode": row.gateway_code,
        "amount": number(row.fils),
        "currencyCode": "KWD",
        "ipAddress": "127.0.0.1",
        "createDate": date_text(row.created_at),
        "response": row.answer,
    }


def invoice(world: World, row: Invoice) -> dict[str, Any]:
    """The whole ``response`` of getbyid, with every field of the samples."""
    return {**_identity(world, row), **_amounts(row), **_customer(row), **_options(row), **_payment(row)}


def _identity(world: World, row: Invoice) -> dict[str, Any]:
    return {
        "id": row.id,
        "vendor_Id": world.settings.vendor_id,
        "key": row.key,
        "code": row.code,
        "type": row.type,
        "status": row.status,
        "deleted": row.deleted,
        "orderStatus": row.order_status,
        "orderSession_Id": row.order_session_id,
        "ref_Number": row.ref_number,
        "url": pay_url(world, row),
        "qr": f"{world.base_url}/qr/{row.key}/download",
        "short_url": pay_url(world, row),
        "shortLink": short_link(row.id),
        "createDate": date_text(row.created_at),
        "expiry_Date": date_text(row.expires_at),
    }


def _amounts(row: Invoice) -> dict[str, Any]:
    return {
        "amount": number(row.fils),
        "alt_Amount": foreign(row.fils, row),
        "total": number(row.fils),
        "subtotal": number(row.subtotal_fils),
        "refunded_Amount": number(row.refunded_fils),
        "currency_Code": row.currency,
        "discount_Type": row.discount_type,
        "discount_Amount": plain(Decimal(row.discount_amount)),
        "discount_Amount_Total": number(row.discount_fils),
        "items": [item(line, row) for line in row.items],
    }


def _customer(row: Invoice) -> dict[str, Any]:
    return {
        "customer_Name": row.customer_name,
        "customer_Mobile": row.customer_mobile,
        "customer_Email": row.customer_email,
    }


def _options(row: Invoice) -> dict[str, Any]:
    return {
        "lang": row.lang,
        "sendType": row.send_type,
        "remind_After": row.remind_after,
        "comment": row.comment,
        "attachment": "",
        "terms_Condition": row.terms,
        "terms_Condition_Enabled": row.terms_enabled,
        "success_ReturnURL": row.success_url,
        "fail_ReturnURL": row.fail_url,
        "payment_Methods": "",
    }


def _payment(row: Invoice) -> dict[str, Any]:
    return {
        "payment_Date": date_text(row.paid_at),
        "transactionID": row.transaction_id,
        "paymentGateway": row.gateway,
        "paymentGatewayCode": row.gateway_code,
        "transactions": [transaction(line, row) for line in row.transactions],
    }
