"""Links on which a payer subscribes to a template (contract 10). Every body is assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django_sadadpay.emulator import objects, subscriptions
from django_sadadpay.emulator import subscription_templates as templates
from django_sadadpay.emulator.columns import Column
from django_sadadpay.emulator.objects import Shape
from django_sadadpay.emulator.protocol import Refusal, Route

if TYPE_CHECKING:
    from django_sadadpay.emulator.entities import Invoice, Stored
    from django_sadadpay.emulator.objects import Values
    from django_sadadpay.emulator.protocol import ApiRequest
    from django_sadadpay.emulator.state import World

KIND = "SubscriptionLink"


def template_of(world: World, link: Stored) -> Stored:
    """The link's template; it is there as long as the link is. Raises ``Refusal`` otherwise."""
    return objects.find(world, templates.KIND, link.values["templateId"])


def _finish(world: World, values: Values, old: Stored | None) -> Values:
    objects.find(world, templates.KIND, values["templateId"])
    return values


def getlinkdetail(world: World, request: ApiRequest) -> Values:
    """The link, and its template's columns where the link has none of that name."""
    link = objects.by_key(world, KIND, request.query.get("key", "").strip())
    template = objects.written(templates.SHAPE, template_of(world, link))
    return {**template, **objects.shown(world, SHAPE, link)}


def subscribe(world: World, link: Stored, name: str, mobile: str, lang: str) -> Invoice | None:
    """Start a payer's subscription today and give its first invoice; None while a free trial lasts.

    Raises ``Refusal`` CustomerNameRequired or CustomerMobileRequired, as the other links do (contract 3.7).
    """
    if not name.strip():
        raise Refusal("CustomerNameRequired")
    if not mobile.strip():
        raise Refusal("CustomerMobileRequired")
    body = {
        "templateId": link.values["templateId"],
        "customerName": name.strip(),
        "customerMobile": mobile.strip(),
        "lang": lang,
    }
    row = objects.create(world, subscriptions.SHAPE, body)
    subscriptions.bill_due(world)
    bills = row.values["bills"]
    return world.invoices[bills[0]["invoice"]] if bills else None


SHAPE = Shape(
    KIND,
    "SBL",
    columns=(
        Column("templateId", "integer", required="TemplateIdRequired"),
        Column("nameEn", required="NameEnRequired"),
        Column("nameAr"),
        Column("termsConditionEnabled", "flag"),
        Column("termsCondition"),
        Column("inActive", "flag"),
    ),
    keyed=True,
    finish=_finish,
    filters={"nameen": objects.contains("nameEn"), "namear": objects.contains("nameAr")},
)

SHAPES = (SHAPE,)

ROUTES = (
    *objects.routes(SHAPE, "getall", "getbyid", "insert", "update", "delete"),
    Route(f"{KIND}/getlinkdetail", "GET", handler=getlinkdetail),
)
