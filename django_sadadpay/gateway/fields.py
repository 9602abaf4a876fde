"""Field names: ours, Sadad's on the wire, and how well each is known. They stand here once.

``doc``: a page of the vendor. ``vendor``: the vendor's own code. ``observed``: real calls of a third party.
``assumed``: a relative of Sadad's code, or a guess. Numbers are sections of the contract.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, cast

Evidence = Literal["doc", "vendor", "observed", "assumed"]
#: What a value is. ``kwd`` is sent as text with three places and comes back as a number (contract 12);
#: ``word`` is one of a set that is not known for sure, so it is not checked here.
Kind = Literal[
    "text",
    "word",
    "integer",
    "number",
    "kwd",
    "flag",
    "date",
    "moment",
    "language",
    "currency",
    "rows",
    "any",
]

#: Characters. No limit is documented: this one only keeps nonsense from being sent.
LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a request or a reply.

    :ivar items: the fields of each row of a list.
    :ivar longest: characters of a text at most; what is longer is refused here, never cut.
    :ivar positive: an amount of nothing is refused here.
    """

    name: str
    wire: str
    required: bool = False
    evidence: Evidence = "doc"
    items: tuple[Field, ...] = ()
    kind: Kind = "text"
    longest: int = LONGEST
    positive: bool = False


def rows(evidence: Evidence, text: str, *, required: bool = False) -> tuple[Field, ...]:
    """Fields written as ``name=wire``, ``name=wire:kind`` or ``name=wire:kind:longest``."""
    return tuple(_field(part, evidence, required) for part in text.split())


def _field(text: str, evidence: Evidence, required: bool) -> Field:
    names, kind, longest = (*text.split(":"), "", "")[:3]
    name, wire = names.split("=")
    return Field(
        name, wire, required, evidence, kind=cast("Kind", kind or "text"), longest=int(longest or LONGEST)
    )


def listed(
    name: str, wire: str, evidence: Evidence, items: tuple[Field, ...], *, required: bool = False
) -> Field:
    """A list of objects."""
    return Field(name, wire, required, evidence, items, "rows")


def positive(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Amounts for which nothing is no amount; a line or a template may well cost nothing."""
    return tuple(replace(field, positive=field.kind == "kwd") for field in fields)


# 3.1. quantity x amount over the items must equal the invoice's amount.
ITEM = (
    *rows("doc", "name=name:text:500 quantity=quantity:integer amount=amount:kwd", required=True),
    *rows("doc", "supplier_id=supplierId:integer"),
)

# 3.1
INVOICE = (
    *positive(rows("doc", "amount=amount:kwd customer_name=customer_Name:text:500", required=True)),
    *rows(
        "doc",
        "customer_mobile=customer_Mobile:text:50 customer_email=customer_Email:text:254"
        " ref_number=ref_Number:text:250"
        " lang=lang:language currency_code=currency_Code:currency type=type:word",
    ),
    listed("items", "items", "doc", ITEM),
    *rows(
        "vendor", "success_return_url=Success_ReturnURL:text:2000 fail_return_url=Fail_ReturnURL:text:2000"
    ),
    *rows(
        "observed",
        "expiry_date=expiry_Date:date send_type=sendType:word"
        " terms_condition_enabled=terms_Condition_Enabled:flag"
        " discount_amount_total=discount_Amount_Total:kwd attachment=attachment:any",
    ),
    *rows(
        "assumed",
        "discount_type=discount_Type:word discount_amount=discount_Amount:kwd"
        " remind_after=remind_After:integer"
        " comment=comment terms_condition=terms_Condition",
    ),
)

# 3.5: one invoice without the wrapper, with its id.
INVOICE_UPDATE = (
    Field("id", "id", True, "assumed", kind="integer"),
    *(replace(field, required=False, evidence="assumed") for field in INVOICE),
)

# 3.4. listOptions is added by the paging.
INVOICE_FILTERS = rows(
    "assumed",
    "code=code ref_number=refNumber status=status create_date_from=createDateFrom:date"
    " create_date_to=createDateTo:date"
    " expiry_date_from=expiryDateFrom:date expiry_date_to=expiryDateTo:date"
    " amount_from=amountFrom:number amount_to=amountTo:number"
    " customer_name=customerName customer_mobile=customerMobile customer_email=customerEmail"
    " payment_method=paymentMethod invoice_type=invoiceType list_options=listOptions:any",
)

# 3.2
ITEM_REPLY = (
    *rows("doc", "id=id:integer name=name quantity=quantity:integer amount=amount:kwd"),
    *rows(
        "observed",
        "alt_amount=alt_Amount:number supplier_id=supplierId:integer"
        " supplier_invoice_id=supplierInvoiceId:any"
        " supplier_fees=supplierVendorFees:number supplier_amount=supplierFinalAmount:number"
        " supplier_refund_id=supplierRefundTransactionId:any",
    ),
)

# 3.3: observed are those that a shop's back end reads; the rest is the panel's table.
TRANSACTION_REPLY = (
    *rows(
        "observed",
        "transaction_id=transactionId reference_id=referenceId track_id=trackId payment_id=paymentId"
        " status=status:word created_at=createDate:moment",
    ),
    *rows(
        "assumed",
        "id=id:any request_type=request_Type:word gateway=paymentGateway gateway_code=paymentGatewayCode"
        " amount=amount:kwd"
        " currency=currencyCode",
    ),
)

# 3.2
INVOICE_REPLY = (
    *rows(
        "doc",
        "id=id:integer key=key status=status:word amount=amount:kwd ref_number=ref_Number url=url",
        required=True,
    ),
    *rows(
        "doc",
        "code=code type=type:word alt_amount=alt_Amount:number total=total:kwd subtotal=subtotal:kwd"
        " refunded_amount=refunded_Amount:kwd currency=currency_Code:currency lang=lang:language qr_url=qr"
        " deleted=deleted:flag"
        " expires_at=expiry_Date:moment customer_name=customer_Name customer_mobile=customer_Mobile"
        " customer_email=customer_Email send_type=sendType:word discount_total=discount_Amount_Total:number"
        " remind_after=remind_After:integer comment=comment"
        " terms_condition_enabled=terms_Condition_Enabled:flag terms_condition=terms_Condition"
        " success_return_url=success_ReturnURL",
    ),
    listed("items", "items", "doc", ITEM_REPLY),
    listed("transactions", "transactions", "doc", TRANSACTION_REPLY),
    *rows("vendor", "transaction_id=transactionID"),
    *rows(
        "observed",
        "short_url=short_url short_link=shortLink created_at=createDate:moment paid_at=payment_Date:moment"
        " order_session_id=orderSession_Id:integer payment_gateway=paymentGateway"
        " payment_gateway_code=paymentGatewayCode vendor_id=vendor_Id:integer attachment=attachment"
        " order_status=orderStatus discount_type=discount_Type:word discount_amount=discount_Amount:number"
        " fail_return_url=fail_ReturnURL payment_methods=payment_Methods",
    ),
)

# 3.4, 3.9: rows of the list, and GetByTypeKey, are assumed; a row may show less: no address, no lines.
INVOICE_ROW_REPLY = tuple(
    replace(field, required=field.required and field.name != "url", evidence="assumed")
    for field in INVOICE_REPLY
)

# 3.1
INSERT_REPLY = (Field("invoice_id", "invoiceId", True, "observed"),)

# 3.7: the new invoice's id (assumed), as a bare value; as an object it would be the one of 3.1.
MADE = (Field("invoice_id", "invoiceId", False, "assumed", kind="any"),)

# 6.1
REFUND = (
    *positive(rows("doc", "invoice_id=invoice_Id:any amount=amount:kwd", required=True)),
    *rows("doc", "refund_type=refund_Type:word currency_code=currency_Code:currency", required=True),
)
REFUND_REPLY = (Field("refund_id", "refund_Id", True, "doc", kind="any"),)

# 6.2: no field of a row is known; these are the request's names.
REFUND_ROW_REPLY = rows(
    "assumed", "id=id:integer invoice_id=invoice_Id:integer amount=amount:kwd status=status:word"
)

# 9
CURRENCY_REPLY = rows(
    "vendor", "code=code:currency rate=conversionRate:number decimals=decimalPlacement:integer", required=True
)

# 2.1, 2.2
REFRESH_REPLY = (Field("refresh_token", "refreshToken", True, "doc"),)
ACCESS_REPLY = (
    Field("access_token", "accessToken", True, "doc"),
    Field("expires_after", "expiredAfterSeconds", True, "doc", kind="integer"),
)

ID = (Field("id", "id", True, "assumed", kind="integer"),)
INVOICE_ID = (Field("id", "id", True, "doc", kind="integer"),)
KEY = (Field("key", "key", True, "assumed"),)

# 5. Documented with a capital first letter; really sent with a small one, and two more fields (observed).
WEBHOOK = (
    *rows(
        "doc",
        "invoice_id=invoiceId:any invoice_code=invoiceCode invoice_key=invoiceKey:any"
        " status=status amount=amount:any"
        " payment_method=paymentMethod transaction_id=transactionId",
    ),
    *rows("observed", "session_id=session_Id transaction_status=transactionStatus"),
)
