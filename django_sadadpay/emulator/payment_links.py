"""Payment links, and the invoices that payers make from them (contract 3.7, 10; every body is assumed)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django_sadadpay.emulator import invoices, objects, wire
from django_sadadpay.emulator.binding import Fields
from django_sadadpay.emulator.columns import Column
from django_sadadpay.emulator.objects import Shape
from django_sadadpay.emulator.protocol import Refusal, Route

if TYPE_CHECKING:
    from django_sadadpay.emulator.entities import Invoice, Stored
    from django_sadadpay.emulator.objects import Values
    from django_sadadpay.emulator.protocol import ApiRequest
    from django_sadadpay.emulator.state import World


def _has_an_amount(world: World, values: Values, old: Stored | None) -> Values:
    """Only an open link goes without an amount; the payer chooses it between the two bounds, 0 for none."""
    if not values["isOpenAmount"] and not values["amount"]:
        raise Refusal("AmountRequired")
    if 0 < values["maxAmount"] < values["minAmount"]:
        raise Refusal("InvalidMaxAmount")
    return values


PAYMENT_LINK = Shape(
    name="PaymentLink",
    prefix="PL",
    columns=(
        Column("title", required="TitleRequired"),
        Column("lang", "language"),
        Column("amount", "kwd"),
        Column("isOpenAmount", "flag"),
        Column("minAmount", "kwd"),
        Column("maxAmount", "kwd"),
        Column("currency", "currency"),
        Column("comment"),
        Column("termsConditionEnabled", "flag"),
        Column("termsCondition"),
        Column("inActive", "flag"),
    ),
    keyed=True,
    finish=_has_an_amount,
    listed=frozenset({"title", "lang", "amount", "isOpenAmount", "minAmount", "maxAmount", "inActive"}),
    filters={"title": objects.contains("title")},
)


def create_invoice(world: World, body: Any) -> Invoice:
    """A payer's invoice of type PaymentLink. Raises ``Refusal`` with the keys of contract 3.7."""
    fields = Fields(body)
    link = objects.for_payer(world, "PaymentLink", fields.text("paymentLinkKey"), "PaymentLinkKeyRequired")
    fils = fields.fils("amount", "AmountRequired")
    if not is_fair(link, fils):
        raise Refusal("InvalidAmount")
    amount = wire.decimal_text(fils)
    item = {"name": link.values["title"], "quantity": 1, "amount": amount}
    terms = {
        "lang": fields.text("lang") or link.values["lang"],
        "currency_Code": link.values["currency"],
        "terms_Condition_Enabled": link.values["termsConditionEnabled"],
        "terms_Condition": link.values["termsCondition"],
    }
    draft = invoices.draft_for_payer(world, fields, {**terms, "amount": amount, "items": [item]})
    return invoices.create(world, draft, type="PaymentLink", origin="PaymentLink", origin_id=link.id)


def is_fair(link: Stored, fils: int) -> bool:
    """The link's own amount, or one within the bounds of an open link."""
    values = link.values
    if not values["isOpenAmount"]:
        return bool(fils == values["amount"])
    return bool(values["minAmount"] <= fils and (not values["maxAmount"] or fils <= values["maxAmount"]))


def getforpayment(world: World, request: ApiRequest) -> Values:
    """What a payer sees: the link and whose it is."""
    vendor = {"vendorCompany": world.settings.vendor_company, "vendorLogo": "", "vendorLogoPath": ""}
    return {**objects.getforpayment(PAYMENT_LINK, world, request), **vendor}


def createpaymentlinkinvoice(world: World, request: ApiRequest) -> int:
    """The new invoice's id."""
    return create_invoice(world, request.body).id


SHAPES = (PAYMENT_LINK,)

ROUTES = (
    *objects.routes(PAYMENT_LINK, "getall", "getbykey", "insert", "update", "delete"),
    Route("PaymentLink/getforpayment", "GET", "none", handler=getforpayment),
    Route(
        "Invoice/createpaymentlinkinvoice", "POST", "none", handler=createpaymentlinkinvoice, reads_body=True
    ),
)
