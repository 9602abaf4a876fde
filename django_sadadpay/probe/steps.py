"""Everything that is tried, in order: what is made last is deleted first. No endpoint is left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django_sadadpay.probe import kinds
from django_sadadpay.probe.comparing import Expected
from django_sadadpay.probe.crud import (
    NO_KEY,
    NO_TOKEN,
    UNREAD,
    Kind,
    closing,
    holding,
    listing,
    opening,
    refusals,
)
from django_sadadpay.probe.kinds import EMAIL, MOBILE, SECOND_EMAIL, SECOND_MOBILE
from django_sadadpay.probe.model import Amount, Day, Filter, Id, Key, Mark, Seen, Step

if TYPE_CHECKING:
    from django_sadadpay.gateway.endpoints import Endpoint

_BUYER: dict[str, Any] = {"customer_name": Mark(), "customer_mobile": MOBILE, "customer_email": EMAIL}
_NO_BUYER = {"customer_name": "CustomerNameRequired", "customer_mobile": "CustomerMobileRequired"}


def _authentication() -> Iterator[Step]:
    """The token in use is older than the one made here: whether a new one ends it, shows (contract 2.1)."""
    refresh, access = "User/GenerateRefreshToken", "User/GenerateAccessToken"
    wrong = Expected(("WrongClientKeyOrClientSecret", "UnauthorizedAccess"), evidence="observed")
    yield Step(refresh)
    yield Step(refresh, "made-up keys", expect=wrong, credential="basic")
    yield Step(refresh, "without keys", expect=Expected(("UnauthorizedAccess",)), credential="none")
    yield Step(access, "with a refresh token that is not the newest")
    refused = Expected(("UnauthorizedAccess",), evidence="doc")
    yield Step(access, "a made-up refresh token", expect=refused, credential="bearer")


def _common() -> Iterator[Step]:
    yield Step("Common/getcurrencies", rows=True)


def _product_link_invoices() -> Iterator[Step]:
    name = "Invoice/createproductlinkinvoice"
    values = {
        **_BUYER,
        "product_link_key": Key("product_link"),
        "total_amount": "0.200",
        "products": [{"product_id": Id("product"), "quantity": 2, "amount": "0.100"}],
        "lang": "en",
        "comment": Mark(),
    }
    yield Step(name, values=values, makes="order", folder="Invoice")
    missing = {
        "product_link_key": "ProductLinkKeyRequired",
        "total_amount": "TotalAmountRequired",
        "products": "ProductsRequired",
        **_NO_BUYER,
    }
    wrong = (("product_link_key", NO_KEY, "InvalidKey"),)
    yield from refusals(name, values, "Invoice", missing, wrong)


def _payment_link_invoices() -> Iterator[Step]:
    name = "Invoice/createpaymentlinkinvoice"
    values = {
        **_BUYER,
        "payment_link_key": Key("payment_link"),
        "amount": "0.100",
        "lang": "en",
        "comment": Mark(),
    }
    yield Step(name, values=values, makes="link_invoice", folder="Invoice")
    missing = {"payment_link_key": "PaymentLinkKeyRequired", "amount": "AmountRequired", **_NO_BUYER}
    wrong = (("payment_link_key", NO_KEY, "InvalidKey"), ("amount", "0.999", "InvalidAmount"))
    yield from refusals(name, values, "Invoice", missing, wrong)


def _plan_invoices() -> Iterator[Step]:
    """Its invoice carries the plan's names: it has none of its own."""
    name = "Invoice/createinstallmentplanlinkinvoice"
    values = {
        "installment_plan_key": Key("plan"),
        "installment_id": Seen("plan", ("installments", "id")),
    }
    yield Step(name, values=values, makes="plan_invoice", folder="Invoice", carries="plan")
    missing = {
        "installment_plan_key": "InstallmentPlanKeyRequired",
        "installment_id": "InstallmentIdRequired",
    }
    wrong = (("installment_plan_key", NO_KEY, "InvalidKey"),)
    for step in refusals(name, values, "Invoice", missing, wrong):
        yield Step(
            step.endpoint, step.name, step.values, step.expect,
            without=step.without, wrong=step.wrong, folder="Invoice", carries="plan",
        )  # fmt: skip


def _schedule() -> Iterator[Step]:
    name = "Subscription/generatesubscriptionschedule"
    yield Step(name, values={"id": Id("subscription")}, rows=True)
    required = Expected(("IdRequired",), is_valid=True)
    yield Step(name, "without id", {"id": 1}, required, without="id")


_INVOICE: Mapping[str, Any] = {
    **_BUYER,
    "amount": "0.100",
    "ref_number": Mark(),
    "lang": "en",
    "currency_code": "KWD",
    "comment": Mark(),
    "expiry_date": Day(5),
    "success_return_url": "https://shop.example/probe/back",
    "fail_return_url": "https://shop.example/probe/back",
    "items": [{"name": Mark(), "quantity": 1, "amount": "0.100"}],
}
_SECOND = {
    "amount": "0.250",
    "items": [{"name": Mark(), "quantity": 1, "amount": "0.250"}],
    "expiry_date": Day(9),
    "customer_email": SECOND_EMAIL,
    "customer_mobile": SECOND_MOBILE,
}
_INVOICE_ECHO = (
    "amount",
    "ref_number",
    "lang",
    "currency",
    "customer_name",
    "customer_mobile",
    "customer_email",
)
_INVOICE_FILTERS = (
    Filter("ref_number", Mark("invoice"), "invoice", "invoice_2"),
    Filter("code", Seen("invoice", ("code",)), "invoice", "invoice_2"),
    Filter("customer_name", Mark("invoice"), "invoice", "invoice_2"),
    Filter("customer_mobile", MOBILE, "invoice", "invoice_2"),
    Filter("customer_email", EMAIL, "invoice", "invoice_2"),
    Filter("status", "Paid", leaves="invoice"),
    Filter("amount_from", "0.200", "invoice_2", "invoice"),
    Filter("amount_to", "0.200", "invoice", "invoice_2"),
    Filter("create_date_from", Day(2), leaves="invoice"),
    Filter("create_date_to", Day(-2), leaves="invoice"),
    Filter("expiry_date_from", Day(7), "invoice_2", "invoice"),
    Filter("expiry_date_to", Day(7), "invoice", "invoice_2"),
    Filter("payment_method", "Knet", leaves="invoice"),
    Filter("invoice_type", "PaymentLink", leaves="invoice"),
)
_BAD_INVOICE = (
    ("amount", "0.300", "InvoiceAmountMustEqualsToTotalItemsAmount"),
    ("lang", "english", "InvalidLanguageCode"),
    ("currency_code", "KWDX", "InvalidCurrencyCode"),
    ("send_type", "Pigeon", "InvalidSendType"),
    ("expiry_date", "soon", "InvalidDateFormat"),
    ("discount_type", "Gift", "InvalidInvoiceDiscountType"),
)


def _invoices() -> Iterator[Step]:
    insert, read = "Invoice/insert", "Invoice/getbyid"
    yield Step(insert, values=_INVOICE, makes="invoice", folder="Invoice")
    yield Step(insert, "a second one", {**_INVOICE, **_SECOND}, makes="invoice_2", folder="Invoice")
    missing = {"amount": "AmountRequired", "customer_name": "CustomerNameRequired"}
    yield from refusals(insert, _INVOICE, "Invoice", missing, _BAD_INVOICE)
    empty = Expected(("ObjectIsEmpty",))
    yield Step(insert, "no invoice", body={"Invoices": []}, expect=empty, folder="Invoice")
    yield Step(insert, "a body that is no object", body="probe", expect=UNREAD, folder="Invoice")
    yield Step(read, values={"id": Id("invoice")}, reads="invoice", echo=_INVOICE_ECHO)
    required = Expected(("InvoiceIdRequired",), is_valid=True)
    yield Step(read, "without id", {"id": 1}, required, without="id")
    yield Step("Invoice/getall", "a made-up token", expect=NO_TOKEN, credential="bearer")
    yield from listing("Invoice", ("invoice", "invoice_2"), _INVOICE_FILTERS)
    yield from _by_type()
    changed = {**_INVOICE, "id": Id("invoice"), "comment": Mark(more=" changed")}
    yield Step("Invoice/update", values=changed, reads="invoice")
    yield Step(read, "after the update", {"id": Id("invoice")}, reads="invoice", echo=_INVOICE_ECHO)


def _by_type() -> Iterator[Step]:
    name, values = "Invoice/GetByTypeKey", {"type": "Invoice", "key": Key("invoice")}
    yield Step(name, values=values, reads="invoice")
    other = {"type": "PaymentLink", "key": Key("link_invoice")}
    yield Step(name, "an invoice of a payment link", other, reads="link_invoice")
    yield Step(name, "without key", values, Expected(("KeyRequired",)), without="key")
    yield Step(name, "an unknown key", {"type": "Invoice", "key": NO_KEY}, Expected(("InvalidKey",)))


def _invoices_end() -> Iterator[Step]:
    name, number = "Invoice/delete", {"id": Id("invoice")}
    yield Step(name, values=number, ends="invoice")
    yield Step(name, "deleted before", number, Expected(("InvoiceCannotBeDeleted",)), after="invoice")
    yield Step("Invoice/getbyid", "deleted before", number, reads="invoice", after="invoice")
    changed = {**_INVOICE, **number}
    refused = Expected(("InvoiceCannotBeUpdated",))
    yield Step("Invoice/update", "deleted before", changed, refused, after="invoice")
    for label in ("invoice_2", "plan_invoice", "link_invoice", "order"):
        yield Step(name, f"the {label.replace('_', ' ')}", {"id": Id(label)}, ends=label)


def _embedded() -> Iterator[Step]:
    session, domain = "EmbeddedPayment/intiate_order_session", "EmbeddedPayment/allow_domain"
    values = {
        **_BUYER,
        "ref_number": Mark("invoice"),
        "amount": "0.100",
        "currency_code": "KWD",
        "payment_gateway_code": "Knet",
    }
    values["customer_name"] = Mark("invoice")
    yield Step(session, values=values)
    wrong, invalid = {"payment_gateway_code": "NoSuchMethod"}, Expected(("InvalidPaymentMethod",))
    yield Step(session, "a wrong payment_gateway_code", values, invalid, wrong=wrong)
    yield Step(session, "without amount", values, Expected(("AmountRequired",)), without="amount")
    site = {"domain": Mark("invoice", ".example")}
    yield Step(domain, values=site, gate="change_account")
    required = Expected(("DomainRequired",))
    yield Step(domain, "without domain", site, required, without="domain", gate="change_account")


def _refunds() -> Iterator[Step]:
    """Of an invoice of its own that nobody paid: there is nothing to refund."""
    name = "Refund/insert"
    values = {
        "invoice_id": Id("invoice"),
        "amount": "0.100",
        "refund_type": "DeductFromBalance",
        "currency_code": "KWD",
    }
    unpaid = Expected(("InvoiceNotPaidYet",))
    yield Step(name, "of an invoice that is not paid", values, unpaid, gate="not_live")
    nothing = Expected(("InvalidRefundAmount", "AmountRequired", "InvoiceNotPaidYet"))
    yield Step(name, "without amount", values, nothing, without="amount", gate="not_live")
    yield Step(name, "a body that is no object", body="probe", expect=UNREAD)
    yield Step("Refund/getall", rows=True)
    yield Step("Refund/getall", "without a token", expect=NO_TOKEN, credential="none")


def _payment() -> Iterator[Step]:
    """What only a paid invoice shows."""
    ask = {**_INVOICE, "amount": Amount(), "items": [{"name": Mark(), "quantity": 1, "amount": Amount()}]}
    number = {"id": Id("to_be_paid")}
    yield Step(
        "Invoice/insert", "to be paid", ask, makes="to_be_paid", folder="Invoice", gate="pay", act="ask"
    )
    yield Step("Invoice/getbyid", "paid", number, reads="to_be_paid", makes="payment", gate="pay", act="paid")
    yield Step("Refund/insert", "of what was paid", {"invoice_id": Id("payment")}, gate="pay", act="refund")
    yield Step("Invoice/getbyid", "refunded", {"id": Id("payment")}, reads="payment", gate="pay")
    yield Step("Refund/getall", "after a refund", {}, rows=True, gate="pay", reads="payment")
    cannot = Expected(("InvoiceCannotBeDeleted",))
    yield Step("Invoice/delete", "paid", {"id": Id("payment")}, cannot, gate="pay")


def _chained(*parts: Iterable[Step]) -> Iterator[Step]:
    for part in parts:
        yield from part


def _table() -> Iterator[Step]:
    ends: tuple[Kind, ...] = (
        kinds.PLAN,
        kinds.SUBSCRIPTION_LINK,
        kinds.SUBSCRIPTION,
        kinds.TEMPLATE,
        kinds.CUSTOMER,
        kinds.PAYMENT_LINK,
        kinds.PRODUCT_LINK,
        kinds.PRODUCT,
        kinds.CATEGORY,
    )
    opened: dict[str, Iterable[Step]] = {
        "product_link": _product_link_invoices(),
        "payment_link": _payment_link_invoices(),
        "subscription": _schedule(),
        "plan": _plan_invoices(),
    }
    yield from _chained(_authentication(), _common())
    for kind in reversed(ends):
        yield from _chained(opening(kind), opened.get(kind.label, ()))
    yield from _chained(_invoices(), _embedded(), _refunds(), _payment(), _invoices_end())
    yield from _chained(*(holding(kind) for kind in ends))
    yield from _chained(*(closing(kind) for kind in ends))


STEPS: tuple[Step, ...] = tuple(_table())


def chosen(groups: Collection[str], table: Mapping[str, Endpoint]) -> tuple[Step, ...]:
    """The steps of some groups, and those that make and delete what they stand on; all for no groups.

    :raises ValueError: a group that the endpoint table does not have.
    """
    known = {row.group for row in table.values()}
    if not known.issuperset(groups):
        unknown, names = ", ".join(sorted(set(groups) - known)), ", ".join(sorted(known))
        raise ValueError(f"no group {unknown}; there are: {names}")
    if not groups:
        return STEPS
    wanted = {index for index, step in enumerate(STEPS) if table[step.endpoint].group in groups}
    related: dict[str, set[int]] = {}
    for index, step in enumerate(STEPS):
        for label in {step.makes, "" if step.expect.keys else step.ends} - {""}:
            related.setdefault(label, set()).add(index)
    todo = list(wanted)
    while todo:
        named = (related.get(label, set()) for label in STEPS[todo.pop()].needs)
        more = set().union(*named) - wanted
        wanted |= more
        todo += more
    return tuple(step for index, step in enumerate(STEPS) if index in wanted)
