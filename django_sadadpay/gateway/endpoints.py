"""Sadad's endpoints as one table: the 66 documented ones and ``Common/getcurrencies``.

Path and verb of the 66 are from the vendor's own list (contract 10), so their evidence is ``doc``; each field
carries its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from django_sadadpay.gateway import catalog_fields as c
from django_sadadpay.gateway import fields as f
from django_sadadpay.gateway.folders import FOLDERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django_sadadpay.gateway.fields import Evidence, Field
    from django_sadadpay.gateway.folders import Folder

Auth = Literal["basic", "refresh", "access", "none"]
Verb = Literal["GET", "POST", "PUT", "DELETE"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row.

    :ivar fields: request fields (query of GET and DELETE, body of the others); others are passed through.
    :ivar reply: fields of ``response``, or of each row of it.
    :ivar refusals: error keys that prove that nothing was done.
    :ivar missing: error keys that say that the object named by an id does not exist.
    :ivar takes_id: names one object: ``UnauthorizedAccess`` on a fresh token is about that (contract 3.2).
    :ivar attempts: HTTP calls at most for one call of ours, renewed tokens included.
    :ivar method: where ``SadadClient`` has it: ``"products.insert"``.
    """

    group: str
    name: str
    verb: Verb
    auth: Auth = "access"
    fields: tuple[Field, ...] = ()
    reply: tuple[Field, ...] = ()
    refusals: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    takes_id: bool = False
    attempts: int = 3
    evidence: Evidence = "doc"
    method: str = ""

    @property
    def path(self) -> str:
        """Below the API base, spelt as documented: ``/Invoice/insert``."""
        return f"/{self.name}"

    @property
    def reads(self) -> bool:
        """Whether a lost answer does no harm: a GET, or a token call, which is a POST but moves nothing."""
        return self.verb == "GET" or self.auth in ("basic", "refresh")

    @property
    def lists(self) -> bool:
        """Whether ``EmptyResult`` is an answer: no rows (contract 3.4)."""
        return self.name.endswith("/getall")


# Contract 11. WrongObject: the body did not bind, so nothing of it was acted on (1.4).
_UNREAD = frozenset({"WrongObject", "ObjectIsEmpty"})
_BAD_INVOICE = _UNREAD | {
    "AmountRequired",
    "CustomerNameRequired",
    "CustomerMobileRequired",
    "CustomerEmailRequired",
    "InvalidSendType",
    "InvalidLanguageCode",
    "InvalidCurrencyCode",
    "InvalidInvoiceDiscountType",
    "DiscountAmountRequired",
    "InvalidDateFormat",
    "InvoiceAmountMustEqualsToTotalItemsAmount",
    "AllowedExtension",
    "AllowedSize",
}
_WRONG_STATE = frozenset({"InvalidInvoiceStatus", "InvoiceAlreadyPaid", "InvoiceExpired"})
_NO_INVOICE = frozenset({"InvoiceIdRequired", "InvoiceNotExist"})
# Contract 6.1 and 11. The documented "Error " and "ERROR" are placeholders of the samples, not refusals.
_REFUND_REFUSALS = _UNREAD | {
    "InvalidRefundAmount",
    "RefundAmountExceedBalance",
    "VendorBalanceLessThanInvoiceAmount",
    "InvoiceNotPaidYet",
    "InvoiceIdRequired",
    "InvoiceNotExist",
    "AmountRequired",
}

_NO_KEY = frozenset({"KeyRequired", "InvalidKey"})
_NO_OBJECT = frozenset({"IdRequired", "EmptyResult"}) | _NO_KEY
# Contract 3.7, 3.8
_BAD_LINK_INVOICE = _UNREAD | {
    "AmountRequired",
    "CustomerNameRequired",
    "CustomerMobileRequired",
    "InvalidKey",
    "InvalidAmount",
}
_BAD_ORDER = frozenset(
    {
        "ProductLinkKeyRequired",
        "TotalAmountRequired",
        "ProductsRequired",
        "ProductQuantityRequired",
        "ProductAmountRequired",
        "ProductNotExist",
        "InvalidProductAmount",
        "YouExceededAvailableQuantity",
        "InvoiceAmountMustEqualsToTotalItemsAmount",
    }
)

_KNOWN = (
    Endpoint(
        "Authentication",
        "User/GenerateRefreshToken",
        "POST",
        "basic",
        reply=f.REFRESH_REPLY,
        method="user.generate_refresh_token",
    ),
    Endpoint(
        "Authentication",
        "User/GenerateAccessToken",
        "POST",
        "refresh",
        reply=f.ACCESS_REPLY,
        method="user.generate_access_token",
    ),
    Endpoint(
        "Invoices",
        "Invoice/getall",
        "GET",
        fields=f.INVOICE_FILTERS,
        reply=f.INVOICE_ROW_REPLY,
        method="invoices.getall",
    ),
    Endpoint(
        "Invoices",
        "Invoice/getbyid",
        "GET",
        fields=f.INVOICE_ID,
        reply=f.INVOICE_REPLY,
        missing=_NO_INVOICE | {"EmptyResult"},
        takes_id=True,
        method="invoices.getbyid",
    ),
    Endpoint(
        "Invoices",
        "Invoice/insert",
        "POST",
        fields=f.INVOICE,
        reply=f.INSERT_REPLY,
        refusals=_BAD_INVOICE,
        method="invoices.insert",
    ),
    Endpoint(
        "Invoices",
        "Invoice/update",
        "PUT",
        fields=f.INVOICE_UPDATE,
        refusals=_BAD_INVOICE | _WRONG_STATE | {"InvoiceCannotBeUpdated"},
        missing=_NO_INVOICE,
        takes_id=True,
        method="invoices.update",
    ),
    Endpoint(
        "Invoices",
        "Invoice/delete",
        "DELETE",
        fields=f.ID,
        refusals=_WRONG_STATE | {"InvoiceCannotBeDeleted"},
        missing=_NO_INVOICE,
        takes_id=True,
        method="invoices.delete",
    ),
    Endpoint(
        "Invoices",
        "Invoice/createpaymentlinkinvoice",
        "POST",
        "none",
        fields=c.PAYMENT_LINK_INVOICE,
        reply=f.MADE,
        refusals=_BAD_LINK_INVOICE | {"PaymentLinkKeyRequired"},
        method="invoices.create_payment_link_invoice",
    ),
    Endpoint(
        "Invoices",
        "Invoice/createproductlinkinvoice",
        "POST",
        "none",
        fields=c.PRODUCT_LINK_INVOICE,
        reply=f.MADE,
        refusals=_BAD_LINK_INVOICE | _BAD_ORDER,
        method="invoices.create_product_link_invoice",
    ),
    Endpoint(
        "Invoices",
        "Invoice/createinstallmentplanlinkinvoice",
        "POST",
        fields=c.INSTALLMENT_INVOICE,
        reply=f.MADE,
        refusals=_BAD_LINK_INVOICE
        | _WRONG_STATE
        | {"InstallmentPlanKeyRequired", "InstallmentIdRequired", "DueDateNotComeYet"},
        method="invoices.create_installment_plan_link_invoice",
    ),
    Endpoint(
        "Invoices",
        "Invoice/GetByTypeKey",
        "GET",
        fields=c.TYPE_KEY,
        reply=f.INVOICE_ROW_REPLY,
        missing=_NO_INVOICE | _NO_KEY | {"EmptyResult"},
        takes_id=True,
        method="invoices.get_by_type_key",
    ),
    Endpoint("Refund", "Refund/getall", "GET", reply=f.REFUND_ROW_REPLY, method="refunds.getall"),
    Endpoint(
        "Refund",
        "Refund/insert",
        "POST",
        fields=f.REFUND,
        reply=f.REFUND_REPLY,
        refusals=_REFUND_REFUSALS,
        takes_id=True,
        attempts=2,  # it is repeated once at most (money-flow 5)
        method="refunds.insert",
    ),
    Endpoint(
        "Common",
        "Common/getcurrencies",
        "GET",
        "none",
        reply=f.CURRENCY_REPLY,
        evidence="vendor",
        method="common.getcurrencies",
    ),
)

_TOKEN_FREE = frozenset({"getforpayment"})
_VERBS: Mapping[str, Verb] = {
    "insert": "POST",
    "allow_domain": "POST",
    "intiate_order_session": "POST",  # Sadad's own spelling
    "update": "PUT",
    "delete": "DELETE",
}
#: Ours, where it is not Sadad's word.
_METHODS = {
    "intiate_order_session": "initiate_order_session",
    "generatesubscriptionschedule": "generate_schedule",
    "getlinkdetail": "get_link_detail",
}
#: Calls that name no object.
_UNNAMED = frozenset({"getall", "insert", "allow_domain", "intiate_order_session"})


def _fields(call: str, folder: Folder) -> tuple[Field, ...]:
    named = {"getbyid": c.NAMED_BY_ID, "delete": c.NAMED_BY_ID, "generatesubscriptionschedule": c.NAMED_BY_ID}
    own = {"insert": folder.insert, "update": folder.update, "getall": folder.filters, **folder.requests}
    return own[call] if call in own else named.get(call, c.NAMED_BY_KEY)


def _reply(call: str, folder: Folder) -> tuple[Field, ...]:
    own = {
        "insert": c.STORED,
        "getall": folder.row or folder.reply,
        "update": (),
        "delete": (),
        **folder.replies,
    }
    return own.get(call, folder.reply)


def _assumed(folder: Folder, call: str) -> Endpoint:
    method = f"{folder.attribute}.{_METHODS.get(call, call)}"
    writes = call in _VERBS
    kept = {f"{folder.name}CannotBeDeleted"} if call == "delete" else set()
    return Endpoint(
        folder.group,
        f"{folder.name}/{call}",
        _VERBS.get(call, "GET"),
        "none" if call in _TOKEN_FREE else "access",
        fields=_fields(call, folder),
        reply=_reply(call, folder),
        refusals=_UNREAD | folder.refusals | kept if writes else frozenset(),
        missing=frozenset() if call in _UNNAMED else _NO_OBJECT,
        takes_id=call not in _UNNAMED or (call == "insert" and folder.refers),
        method=method,
    )


def _table() -> Iterable[Endpoint]:
    yield from _KNOWN
    for folder in FOLDERS:
        yield from (_assumed(folder, call) for call in folder.calls.split())


ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType({row.name: row for row in _table()})
