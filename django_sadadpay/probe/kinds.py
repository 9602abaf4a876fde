"""The kinds of objects that the probe makes: what is sent for them, and what Sadad should say.

All of it is assumed (contract 10). The text that finds an object again stands in each of its text fields,
so that it is there too when one of them is left out.
"""

from __future__ import annotations

from typing import Any

from django_sadadpay.probe.crud import NO_ID, Kind
from django_sadadpay.probe.model import Contact, Day, Filter, Id, Mark

MOBILE, EMAIL = Contact("mobile"), Contact("email")
_NAMES: dict[str, Any] = {"name_en": Mark(), "name_ar": Mark(more=" تجربة")}
_CHANGED: dict[str, Any] = {"name_en": Mark(more=" changed")}
_PAYER: dict[str, Any] = {"customer_name": Mark(), "customer_mobile": MOBILE, "customer_email": EMAIL}
_ORDER: dict[str, Any] = {"ref_number": Mark(), "lang": "en", "comment": Mark()}
SECOND_MOBILE, SECOND_EMAIL = Contact("second_mobile"), Contact("second_email")

CATEGORY = Kind(
    "ProductCategory",
    "category",
    {**_NAMES, "sort": 7},
    missing={"name_en": "NameEnRequired"},
    change={**_CHANGED, "inactive": True},
    echo=("name_en", "name_ar", "sort", "inactive"),
    in_use="ProductCategoryCannotBeDeleted",
    held_by="product",
)

PRODUCT = Kind(
    "Product",
    "product",
    {
        **_NAMES,
        "category_id": Id("category"),
        "desc_en": Mark(),
        "desc_ar": Mark(more=" وصف"),
        "quantity": 5,
        "price": "0.100",
        "stockable": True,
        "stockable_show": True,
    },
    second={"category_id": Id("category_2")},
    missing={"category_id": "CategoryIdRequired", "name_en": "NameEnRequired"},
    wrong=(("category_id", NO_ID, "UnauthorizedAccess"),),
    change={"desc_en": Mark(more=" changed")},
    echo=("name_en", "name_ar", "desc_en", "desc_ar", "category_id", "quantity", "price", "stockable"),
    filters=(
        Filter("name", Mark("product"), "product", "product_2"),
        Filter("desc", Mark("product"), "product", "product_2"),
        Filter("category_id", Id("category"), "product", "product_2"),
    ),
    in_use="ProductCannotBeDeleted",
    held_by="product_link",
)

PRODUCT_LINK = Kind(
    "ProductLink",
    "product_link",
    {
        **_NAMES,
        "terms_condition_enabled": True,
        "terms_condition": Mark(),
        "products": [Id("product")],
    },
    missing={"name_en": "NameEnRequired", "name_ar": "NameArRequired"},
    wrong=(("products", [NO_ID], "ProductNotExist"),),
    change=_CHANGED,
    echo=("name_en", "name_ar", "terms_condition_enabled", "terms_condition"),
    by_id=False,
    keyed=("getbykey", "getforpayment"),
)

PAYMENT_LINK = Kind(
    "PaymentLink",
    "payment_link",
    {
        "title": Mark(),
        "amount": "0.100",
        "currency": "KWD",
        "lang": "en",
        "is_open_amount": False,
        "comment": Mark(),
        "terms_condition_enabled": True,
        "terms_condition": Mark(),
    },
    missing={"title": "TitleRequired", "amount": "AmountRequired"},
    change={"comment": Mark(more=" changed")},
    echo=("title", "amount", "currency", "lang", "is_open_amount", "comment", "terms_condition"),
    by_id=False,
    keyed=("getbykey", "getforpayment"),
    filters=(Filter("title", Mark("payment_link"), "payment_link", "payment_link_2"),),
)

CUSTOMER = Kind(
    "Customer",
    "customer",
    {"name": Mark(), "ref_number": Mark(), "mobile": MOBILE, "email": EMAIL, "other": Mark()},
    second={"mobile": SECOND_MOBILE, "email": SECOND_EMAIL},
    missing={"name": "CustomerNameRequired"},
    change={"other": Mark(more=" changed")},
    echo=("name", "ref_number", "mobile", "email", "other"),
    filters=(
        Filter("name", Mark("customer"), "customer", "customer_2"),
        Filter("ref_number", Mark("customer"), "customer", "customer_2"),
        Filter("mobile", MOBILE, "customer", "customer_2"),
        Filter("email", EMAIL, "customer", "customer_2"),
    ),
    in_use="CustomerCannotBeDeleted",
    held_by="subscription_2",
)

TEMPLATE = Kind(
    "SubscriptionTemplate",
    "template",
    {
        **_NAMES,
        "amount": "0.100",
        "bill_period": "Monthly",
        "bill_no": 1,
        "duration_period": "Yearly",
        "duration_no": 1,
        "auto_renew": False,
        "can_be_suspended": True,
    },
    missing={
        "name_en": "NameEnRequired",
        "amount": "AmountRequired",
        "bill_period": "BillPeriodRequired",
    },
    change=_CHANGED,
    echo=("name_en", "name_ar", "amount", "bill_period", "bill_no", "duration_period", "can_be_suspended"),
    in_use="SubscriptionTemplateCannotBeDeleted",
    held_by="subscription",
)

SUBSCRIPTION = Kind(
    "Subscription",
    "subscription",
    {**_PAYER, **_ORDER, "template_id": Id("template"), "start_date": Day(30)},
    second={"template_id": Id("template_2"), "customer_id": Id("customer")},
    missing={"template_id": "TemplateIdRequired", "customer_name": "CustomerNameRequired"},
    change={"comment": Mark(more=" changed")},
    echo=("template_id", "customer_name", "customer_mobile", "ref_number", "lang", "comment"),
    keyed=("getforpayment",),
    filters=(
        Filter("customer_name", Mark("subscription"), "subscription", "subscription_2"),
        Filter("ref_number", Mark("subscription"), "subscription", "subscription_2"),
        Filter("template_id", Id("template"), "subscription", "subscription_2"),
        Filter("status", "Closed", leaves="subscription"),
    ),
)

SUBSCRIPTION_LINK = Kind(
    "SubscriptionLink",
    "subscription_link",
    {
        **_NAMES,
        "template_id": Id("template"),
        "terms_condition_enabled": True,
        "terms_condition": Mark(),
    },
    missing={"template_id": "TemplateIdRequired", "name_en": "NameEnRequired"},
    change=_CHANGED,
    echo=("template_id", "name_en", "name_ar", "terms_condition"),
    keyed=("getlinkdetail",),
)

PLAN = Kind(
    "InstallmentPlan",
    "plan",
    {
        **_PAYER,
        **_ORDER,
        "amount": "0.300",
        "installment_count": 3,
        "start_date": Day(30),
        "pay_per": "Monthly",
        "is_flexible": True,
    },
    missing={"customer_name": "CustomerNameRequired", "amount": "AmountRequired"},
    change={"comment": Mark(more=" changed")},
    echo=("customer_name", "customer_mobile", "ref_number", "lang", "amount", "installment_count", "pay_per"),
    keyed=("getforpayment",),
    filters=(
        Filter("customer_name", Mark("plan"), "plan", "plan_2"),
        Filter("ref_number", Mark("plan"), "plan", "plan_2"),
        Filter("status", "Closed", leaves="plan"),
    ),
)
