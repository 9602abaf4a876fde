"""A draft that Sadad would refuse is refused with the field's name; nothing is cut or rounded."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from django_sadadpay import (
    CategoryDraft,
    Customer,
    CustomerDraft,
    DraftError,
    PaymentLinkDraft,
    PlanDraft,
    ProductDraft,
    ProductLinkDraft,
    SubscriptionDraft,
    SubscriptionLinkDraft,
    TemplateDraft,
)
from django_sadadpay.registry.drafts import Draft
from django_sadadpay.services import mirroring

NOOR = Customer("Noor", mobile="+96550000001")
ANY = object()


def plan(**values: Any) -> PlanDraft:
    told: dict[str, Any] = {
        "customer": NOOR,
        "amount": "30",
        "installment_count": 3,
        "start_date": date(2026, 12, 1),
        "pay_per": "Monthly",
    }
    return PlanDraft(**{**told, **values})


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        (CategoryDraft(name_en="Coffee", sort=3), {"name_en": "Coffee", "name_ar": "", "sort": 3}),
        (
            ProductDraft(category=ANY, name_en="Beans", price=Decimal("1.25"), quantity=2, stockable=True),
            {
                "name_en": "Beans",
                "name_ar": "",
                "desc_en": "",
                "desc_ar": "",
                "price": "1.250",
                "quantity": 2,
                "stockable": True,
            },
        ),
        (
            PaymentLinkDraft(title="Gift", is_open_amount=True, min_amount=1, currency="KWD", lang="ar"),
            {
                "title": "Gift",
                "is_open_amount": True,
                "min_amount": "1.000",
                "currency": "KWD",
                "lang": "ar",
                "comment": "",
                "terms_condition": "",
            },
        ),
        (
            plan(pay_per="Manual", installments=[("10", date(2026, 12, 1)), (Decimal(20), "2027-01-01")]),
            {
                "customer_name": "Noor",
                "customer_mobile": "+96550000001",
                "customer_email": "",
                "amount": "30.000",
                "installment_count": 3,
                "start_date": "2026-12-01",
                "pay_per": "Manual",
                "installments": [
                    {"amount": "10.000", "due_date": "2026-12-01"},
                    {"amount": "20.000", "due_date": "2027-01-01"},
                ],
                "comment": "",
            },
        ),
        (
            SubscriptionDraft(template=ANY, customer=ANY, status="Active"),
            {"status": "Active", "comment": ""},
        ),
        (
            SubscriptionLinkDraft(template=ANY, name_en="Join", extra={"colour": "red", "tags": ["a"]}),
            {"name_en": "Join", "name_ar": "", "terms_condition": "", "colour": "red", "tags": ["a"]},
        ),
    ],
)
def test_a_payload_is_json_by_our_names(draft: Draft, expected: dict[str, Any]) -> None:
    assert draft.payload() == expected
    mirroring.validate(draft)


@pytest.mark.parametrize(
    ("make", "field", "problem"),
    [
        (lambda: CategoryDraft(name_en="  "), "name_en", "is missing"),
        (lambda: CategoryDraft(name_en="x" * 251), "name_en", "is longer than 250 characters"),
        (lambda: CategoryDraft(name_en="a\0b"), "name_en", "character that cannot be sent"),
        (lambda: CategoryDraft(name_en="a\ud800b"), "name_en", "character that cannot be sent"),
        (lambda: CategoryDraft(name_en="a", sort="two"), "sort", "must be a Decimal"),  # type: ignore[arg-type]
        (lambda: ProductDraft(category=None, name_en="Beans"), "category", "is missing"),
        (lambda: ProductDraft(category=ANY, name_en="Beans", price="1.2505"), "price", "more than three"),
        (lambda: ProductDraft(category=ANY, name_en="Beans", price=1.5), "price", "must be a Decimal"),  # type: ignore[arg-type]
        (lambda: ProductDraft(category=ANY, name_en="Beans", price="-1"), "price", "must not be negative"),
        (lambda: CustomerDraft(name=""), "name", "is missing"),
        (lambda: CustomerDraft(name="Noor", mobile="1" * 51), "mobile", "is longer than 50"),
        (lambda: ProductLinkDraft(name_en="a", name_ar="", products=[]), "name_ar", "is missing"),
        (lambda: PaymentLinkDraft(title="Gift"), "amount", "is missing"),
        (lambda: PaymentLinkDraft(title="Gift", amount=1, lang="fr"), "lang", "must be one of en, ar"),
        (lambda: PaymentLinkDraft(title="Gift", amount=1, currency="dinar"), "currency", "three letters"),
        (lambda: TemplateDraft(name_en="Gold", amount=-1, bill_period="Monthly"), "amount", "negative"),
        (lambda: plan(amount=0), "amount", "above zero"),
        (lambda: plan(customer=None), "customer", "is missing"),
        (lambda: plan(start_date="2026-02-30"), "start_date", "no date"),
        (lambda: plan(installments=[("x", "2026-12-01")]), "installments[0].amount", "must be a Decimal"),
        (lambda: SubscriptionDraft(template=None, customer=NOOR), "template", "is missing"),
        (lambda: SubscriptionLinkDraft(template=None, name_en="a"), "template", "is missing"),
        (lambda: CategoryDraft(name_en="a", extra={"x": 1.5}), "x", "cannot be sent: float"),
    ],
)
def test_what_sadad_would_refuse_names_its_field(make: Callable[[], Draft], field: str, problem: str) -> None:
    with pytest.raises(DraftError, match=re.escape(problem)) as refused:
        mirroring.validate(make())
    assert refused.value.field == field


def test_a_customer_draft_shows_nobody() -> None:
    assert "Noor" not in repr(CustomerDraft(name="Noor", mobile="+96550000001", email="noor@example.com"))
