"""What the tests of the mirrors' admin share."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_sadadpay.models import Mirror
from django_sadadpay.registry import (
    CategoryDraft,
    Customer,
    CustomerDraft,
    Draft,
    PaymentLinkDraft,
    PlanDraft,
    ProductDraft,
    ProductLinkDraft,
    SubscriptionDraft,
    SubscriptionLinkDraft,
    TemplateDraft,
)
from django_sadadpay.services import mirroring, push
from django_sadadpay.testing import factories
from tests.admin.conftest import url

KINDS = (
    "customer",
    "productcategory",
    "product",
    "productlink",
    "paymentlink",
    "installmentplan",
    "subscriptiontemplate",
    "subscription",
    "subscriptionlink",
)
VIEWS = tuple(f"view_{kind}" for kind in KINDS)
CHANGES = tuple(f"{what}_{kind}" for kind in KINDS for what in ("add", "change", "delete"))
FACTORIES = {
    "customer": factories.CustomerFactory,
    "productcategory": factories.ProductCategoryFactory,
    "product": factories.ProductFactory,
    "productlink": factories.ProductLinkFactory,
    "paymentlink": factories.PaymentLinkFactory,
    "installmentplan": factories.InstallmentPlanFactory,
    "subscriptiontemplate": factories.SubscriptionTemplateFactory,
    "subscription": factories.SubscriptionFactory,
    "subscriptionlink": factories.SubscriptionLinkFactory,
}
NAME, PHONE, EMAIL = "Noor Al-Sabah", "96550000001", "noor@example.com"


def fresh(row: Any) -> Any:
    return type(row)._base_manager.get(pk=row.pk)


def make(draft: Draft) -> Any:
    return mirroring.create(draft)


def pushed(draft: Draft) -> Any:
    row = push.row(make(draft))
    assert row.state == Mirror.State.SYNCED, row.error
    return row


def payment_link(**values: Any) -> PaymentLinkDraft:
    return PaymentLinkDraft(**{"title": "Rent", "amount": "150", "lang": "en", "currency": "KWD", **values})


def one_of_each() -> dict[str, Any]:
    """A row of every kind, none of them sent."""
    category = make(CategoryDraft(name_en="Coffee", name_ar="قهوة"))
    product = make(ProductDraft(category=category, name_en="Beans", name_ar="حبوب", price="4.750"))
    customer = make(CustomerDraft(reference="K-7", name=NAME, mobile=f"+{PHONE}", email=EMAIL))
    template = make(TemplateDraft(name_en="Gold", name_ar="ذهبي", amount="3", bill_period="Monthly"))
    payer = Customer(NAME, mobile=f"+{PHONE}", email=EMAIL)
    plan = PlanDraft(
        customer=payer,
        reference="P-1",
        amount="100",
        down_amount="10",
        installment_count=3,
        start_date="2026-12-01",
        pay_per="Monthly",
    )
    return {
        "productcategory": category,
        "product": product,
        "customer": customer,
        "subscriptiontemplate": template,
        "paymentlink": make(payment_link()),
        "productlink": make(ProductLinkDraft(name_en="Market", name_ar="السوق", products=[product])),
        "installmentplan": make(plan),
        "subscription": make(SubscriptionDraft(template=template, customer=payer, reference="S-1")),
        "subscriptionlink": make(SubscriptionLinkDraft(template=template, name_en="Join", name_ar="انضم")),
    }


def form_of(client: Client, row: Any) -> dict[str, Any]:
    """What the row's form would send if it were saved as it is."""
    form = client.get(url(row.kind, "change", row.pk)).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    values = {
        name: form.fields[name].prepare_value(value) if hasattr(form.fields[name], "prepare_value") else value
        for name, value in values.items()
    }
    return {name: value for name, value in values.items() if value not in (None, False, "")}


def save(client: Client, row: Any, **values: Any) -> Any:
    """Change some fields of the row's form and save it. ``None`` empties a field."""
    sent = {**form_of(client, row), **values}
    page = url(row.kind, "change", row.pk)
    return client.post(page, {name: value for name, value in sent.items() if value is not None})


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return {name: list(found) for name, found in answer.context["adminform"].form.errors.items()}


def statements(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(address).status_code == 200
    return len(seen)
