"""Sadad's endpoints as one table: the 66 documented ones and ``Common/getcurrencies``.

Path and verb of the 66 are from the vendor's own list (contract 10), so their evidence is ``doc``; each field
carries its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from django_sadadpay.gateway import fields as f

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django_sadadpay.gateway.fields import Evidence, Field

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

_INVOICES = (
    Endpoint("Authentication", "User/GenerateRefreshToken", "POST", "basic", reply=f.REFRESH_REPLY),
    Endpoint("Authentication", "User/GenerateAccessToken", "POST", "refresh", reply=f.ACCESS_REPLY),
    Endpoint("Invoices", "Invoice/getall", "GET", fields=f.INVOICE_FILTERS, reply=f.INVOICE_REPLY),
    Endpoint(
        "Invoices",
        "Invoice/getbyid",
        "GET",
        fields=f.INVOICE_ID,
        reply=f.INVOICE_REPLY,
        missing=_NO_INVOICE | {"EmptyResult"},
        takes_id=True,
    ),
    Endpoint(
        "Invoices", "Invoice/insert", "POST", fields=f.INVOICE, reply=f.INSERT_REPLY, refusals=_BAD_INVOICE
    ),
    Endpoint(
        "Invoices",
        "Invoice/update",
        "PUT",
        fields=f.INVOICE_UPDATE,
        refusals=_BAD_INVOICE | _WRONG_STATE | {"InvoiceCannotBeUpdated"},
        missing=_NO_INVOICE,
        takes_id=True,
    ),
    Endpoint(
        "Invoices",
        "Invoice/delete",
        "DELETE",
        fields=f.ID,
        refusals=_WRONG_STATE | {"InvoiceCannotBeDeleted"},
        missing=_NO_INVOICE,
        takes_id=True,
    ),
    Endpoint("Invoices", "Invoice/createpaymentlinkinvoice", "POST", "none"),
    Endpoint("Invoices", "Invoice/createproductlinkinvoice", "POST", "none"),
    Endpoint("Invoices", "Invoice/createinstallmentplanlinkinvoice", "POST"),
    Endpoint("Invoices", "Invoice/GetByTypeKey", "GET", takes_id=True),
    Endpoint("Refund", "Refund/getall", "GET", reply=f.REFUND_ROW_REPLY),
    Endpoint(
        "Refund",
        "Refund/insert",
        "POST",
        fields=f.REFUND,
        reply=f.REFUND_REPLY,
        refusals=_REFUND_REFUSALS,
        takes_id=True,
        attempts=2,  # it is repeated once at most (money-flow 5)
    ),
    Endpoint("Common", "Common/getcurrencies", "GET", "none", reply=f.CURRENCY_REPLY, evidence="vendor"),
)

# Group, folder, and the calls that we know only by path (contract 10).
_PATHS = (
    ("Payment Links", "PaymentLink", "getall getbykey insert update getforpayment delete"),
    ("Installments Plan", "InstallmentPlan", "getall getbyid getforpayment insert update delete"),
    ("Products", "Product", "getall getbyid insert update delete"),
    ("Product Links", "ProductLink", "getall getbykey insert update getforpayment delete"),
    ("Categories", "ProductCategory", "getall getbyid insert update delete"),
    ("Customers", "Customer", "getall getbyid insert update delete"),
    (
        "Subscription",
        "Subscription",
        "getall getbyid generatesubscriptionschedule getforpayment insert update delete",
    ),
    ("Subscription Template", "SubscriptionTemplate", "getall getbyid insert update delete"),
    ("Subscription Link", "SubscriptionLink", "getall getbyid insert update delete getlinkdetail"),
    ("Embedded Payment", "EmbeddedPayment", "allow_domain intiate_order_session"),
)
_VERBS: Mapping[str, Verb] = {
    "insert": "POST",
    "allow_domain": "POST",
    "intiate_order_session": "POST",  # Sadad's own spelling
    "update": "PUT",
    "delete": "DELETE",
}
_NAMED_BY: Mapping[str, tuple[Field, ...]] = {"getbyid": f.ID, "delete": f.ID, "getbykey": f.KEY}


def _path_only(group: str, folder: str, call: str) -> Endpoint:
    return Endpoint(
        group,
        f"{folder}/{call}",
        _VERBS.get(call, "GET"),
        "none" if call == "getforpayment" else "access",
        fields=_NAMED_BY.get(call, ()),
        takes_id=call not in ("getall", "insert", "allow_domain", "intiate_order_session"),
    )


def _table() -> Iterable[Endpoint]:
    yield from _INVOICES
    for group, folder, calls in _PATHS:
        yield from (_path_only(group, folder, call) for call in calls.split())


ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType({row.name: row for row in _table()})
