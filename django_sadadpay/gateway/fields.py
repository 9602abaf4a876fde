"""Field names: ours, Sadad's on the wire, and how well each is known. They stand here once.

``doc``: a page of the vendor. ``vendor``: the vendor's own code. ``observed``: real calls of a third party.
``assumed``: a relative of Sadad's code, or a guess. Numbers are sections of the contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Evidence = Literal["doc", "vendor", "observed", "assumed"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a request or a reply."""

    name: str
    wire: str
    required: bool = False
    evidence: Evidence = "doc"
    items: tuple[Field, ...] = ()


def _rows(evidence: Evidence, text: str, *, required: bool = False) -> tuple[Field, ...]:
    pairs = (row.split("=") for row in text.split())
    return tuple(Field(name, wire, required, evidence) for name, wire in pairs)


# 3.1. quantity x amount over the items must equal the invoice's amount.
ITEM = (
    *_rows("doc", "name=name quantity=quantity amount=amount", required=True),
    *_rows("doc", "supplier_id=supplierId"),
)

# 3.1
INVOICE = (
    *_rows("doc", "amount=amount customer_name=customer_Name", required=True),
    *_rows(
        "doc",
        "customer_mobile=customer_Mobile customer_email=customer_Email ref_number=ref_Number lang=lang"
        " currency_code=currency_Code type=type",
    ),
    Field("items", "items", False, "doc", ITEM),
    *_rows("vendor", "success_return_url=Success_ReturnURL fail_return_url=Fail_ReturnURL"),
    *_rows(
        "observed",
        "expiry_date=expiry_Date send_type=sendType terms_condition_enabled=terms_Condition_Enabled"
        " discount_amount_total=discount_Amount_Total attachment=attachment",
    ),
    *_rows(
        "assumed",
        "discount_type=discount_Type discount_amount=discount_Amount remind_after=remind_After"
        " comment=comment terms_condition=terms_Condition",
    ),
)

# 3.5: one invoice without the wrapper, with its id.
INVOICE_UPDATE = (
    Field("id", "id", True, "assumed"),
    *(Field(field.name, field.wire, False, "assumed", field.items) for field in INVOICE),
)

# 3.4. listOptions is added by the paging.
INVOICE_FILTERS = _rows(
    "assumed",
    "code=code ref_number=refNumber status=status create_date_from=createDateFrom create_date_to=createDateTo"
    " expiry_date_from=expiryDateFrom expiry_date_to=expiryDateTo amount_from=amountFrom amount_to=amountTo"
    " customer_name=customerName customer_mobile=customerMobile customer_email=customerEmail"
    " payment_method=paymentMethod invoice_type=invoiceType list_options=listOptions",
)

# 3.2
ITEM_REPLY = (
    *_rows("doc", "id=id name=name quantity=quantity amount=amount"),
    *_rows("observed", "supplier_id=supplierId"),
)

# 3.3: observed are those that a shop's back end reads; the rest is the panel's table.
TRANSACTION_REPLY = (
    *_rows(
        "observed",
        "transaction_id=transactionId reference_id=referenceId track_id=trackId payment_id=paymentId"
        " status=status created_at=createDate",
    ),
    *_rows(
        "assumed",
        "id=id request_type=request_Type gateway=paymentGateway gateway_code=paymentGatewayCode amount=amount"
        " currency=currencyCode",
    ),
)

# 3.2
INVOICE_REPLY = (
    *_rows("doc", "id=id key=key status=status amount=amount ref_number=ref_Number url=url", required=True),
    *_rows(
        "doc",
        "code=code type=type alt_amount=alt_Amount total=total subtotal=subtotal"
        " refunded_amount=refunded_Amount currency=currency_Code lang=lang qr_url=qr deleted=deleted"
        " expires_at=expiry_Date customer_name=customer_Name customer_mobile=customer_Mobile"
        " customer_email=customer_Email",
    ),
    Field("items", "items", False, "doc", ITEM_REPLY),
    Field("transactions", "transactions", False, "doc", TRANSACTION_REPLY),
    *_rows("vendor", "transaction_id=transactionID"),
    *_rows(
        "observed",
        "short_url=short_url short_link=shortLink created_at=createDate paid_at=payment_Date"
        " order_session_id=orderSession_Id payment_gateway=paymentGateway"
        " payment_gateway_code=paymentGatewayCode",
    ),
)

# 3.1
INSERT_REPLY = (Field("invoice_id", "invoiceId", True, "observed"),)

# 6.1
REFUND = (
    *_rows("doc", "invoice_id=invoice_Id amount=amount", required=True),
    *_rows("doc", "refund_type=refund_Type currency_code=currency_Code", required=True),
)
REFUND_REPLY = (Field("refund_id", "refund_Id", True, "doc"),)

# 6.2: no field of a row is known; these are the request's names.
REFUND_ROW_REPLY = _rows("assumed", "id=id invoice_id=invoice_Id amount=amount status=status")

# 9
CURRENCY_REPLY = _rows("vendor", "code=code rate=conversionRate decimals=decimalPlacement", required=True)

# 2.1, 2.2
REFRESH_REPLY = (Field("refresh_token", "refreshToken", True, "doc"),)
ACCESS_REPLY = (
    Field("access_token", "accessToken", True, "doc"),
    Field("expires_after", "expiredAfterSeconds", True, "doc"),
)

ID = (Field("id", "id", True, "assumed"),)
INVOICE_ID = (Field("id", "id", True, "doc"),)
KEY = (Field("key", "key", True, "assumed"),)

# 5. Documented with a capital first letter; really sent with a small one, and two more fields (observed).
WEBHOOK = (
    *_rows(
        "doc",
        "invoice_id=invoiceId invoice_code=invoiceCode invoice_key=invoiceKey status=status amount=amount"
        " payment_method=paymentMethod transaction_id=transactionId",
    ),
    *_rows("observed", "session_id=session_Id transaction_status=transactionStatus"),
)
