"""The nine groups of objects beside invoices. All of their bodies are assumed (contract 10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.raw_http.wire import Answer, Api


@dataclass(frozen=True)
class Group:
    """``make`` gives a whole body; ``change`` is what an update alters; ``required`` field → error key."""

    name: str
    make: Callable[[Api], dict[str, Any]]
    change: Mapping[str, Any]
    required: Mapping[str, str]
    shape: Mapping[str, str]
    row: tuple[str, ...]
    reads_by: str = "id"
    keyed: bool = False
    find: Mapping[str, str] = field(default_factory=dict)
    unechoed: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name

    def read(self, api: Api, made: Mapping[str, Any]) -> Answer:
        """Read what an insert answered with ``made``."""
        value = made[self.reads_by]
        return api.get(f"{self.name}/getby{self.reads_by}", **{self.reads_by: value})


def a_category(api: Api, **fields: Any) -> int:
    return api.add("ProductCategory", {"nameEn": "Sweets", "nameAr": "حلويات", "sort": 3, **fields})


def product(api: Api, **fields: Any) -> dict[str, Any]:
    text = {"nameEn": "Dates", "nameAr": "تمر", "descEn": "A kilo", "descAr": "كيلو"}
    stock = {"quantity": 5, "price": "2.250", "stockable": True, "stockableShow": True, "attachments": []}
    given = dict(fields)
    category = given.pop("categoryId", None) or a_category(api)
    return {"categoryId": category, **text, **stock, **given}


def a_product(api: Api, **fields: Any) -> int:
    return api.add("Product", product(api, **fields))


def product_link(api: Api, **fields: Any) -> dict[str, Any]:
    products = fields.pop("products", None) or [a_product(api)]
    return {
        "nameEn": "Ramadan",
        "nameAr": "رمضان",
        "termsConditionEnabled": True,
        "termsCondition": "No returns",
        "products": products,
        **fields,
    }


def payment_link(api: Api, **fields: Any) -> dict[str, Any]:
    return {
        "title": "Donation",
        "amount": "12.500",
        "currency": "KWD",
        "lang": "en",
        "isOpenAmount": False,
        "comment": "Thanks",
        "termsConditionEnabled": True,
        "termsCondition": "No returns",
        "inActive": False,
        **fields,
    }


def customer(api: Api, **fields: Any) -> dict[str, Any]:
    bank = {"bank_Id": 3, "account_Holder_Name": "Sara A", "account_Number": "0123", "iban": "KW81CBKU"}
    person = {"name": "Sara", "ref_Number": "C-1", "mobile": "+96555000000", "email": "sara@example.com"}
    return {**person, **bank, "other": "VIP", **fields}


def template(api: Api, **fields: Any) -> dict[str, Any]:
    """Three months, a bill each month."""
    return {
        "nameEn": "Gym",
        "nameAr": "نادي",
        "amount": "15.000",
        "durationPeriod": "Monthly",
        "durationNo": 3,
        "billPeriod": "Monthly",
        "billNo": 1,
        "autoRenew": False,
        "canBeSuspended": True,
        "closedByCustomer": True,
        "maxSuspendCycle": 1,
        "autoCloseAfter": 0,
        "cancelFees": "1.000",
        "suspendFees": "0.500",
        "isInternal": False,
        "inActive": False,
        **fields,
    }


def a_template(api: Api, **fields: Any) -> int:
    return api.add("SubscriptionTemplate", template(api, **fields))


def subscription(api: Api, **fields: Any) -> dict[str, Any]:
    given = dict(fields)
    chosen = given.pop("templateId", None) or a_template(api)
    person = {"customerName": "Sara", "customerMobile": "+96555000000", "customerEmail": "sara@example.com"}
    rest = {"ref_Number": "S-1", "lang": "en", "startDate": "2091-05-10", "comment": "Welcome"}
    return {"templateId": chosen, **person, **rest, **given}


def subscription_link(api: Api, **fields: Any) -> dict[str, Any]:
    given = dict(fields)
    chosen = given.pop("templateId", None) or a_template(api)
    names = {"nameEn": "Join the gym", "nameAr": "اشترك"}
    terms = {"termsConditionEnabled": True, "termsCondition": "No returns", "inActive": False}
    return {"templateId": chosen, **names, **terms, **given}


def plan(api: Api, **fields: Any) -> dict[str, Any]:
    """300 KWD in three monthly parts, far in the future."""
    person = {"customerName": "Sara", "customerMobile": "+96555000000", "customerEmail": "sara@example.com"}
    return {
        **person,
        "ref_Number": "P-1",
        "lang": "en",
        "comment": "A sofa",
        "amount": "300.000",
        "installmentCount": 3,
        "startDate": "2091-05-10",
        "payPer": "Monthly",
        "isFlexible": False,
        "lateFeesType": "NoLateFees",
        **fields,
    }


PAYMENT_LINK = Group(
    "PaymentLink",
    payment_link,
    {"title": "Zakat", "amount": "15.250", "comment": "Many thanks"},
    {"title": "TitleRequired", "amount": "AmountRequired"},
    {
        "id": "integer", "key": "key", "code": "text", "title": "text", "lang": "text",
        "amount": "number", "isOpenAmount": "flag", "createDate": "date", "inActive": "flag",
        "currency": "text", "comment": "text",
        "termsConditionEnabled": "flag", "termsCondition": "text",
    },
    (
        "id", "key", "code", "title", "lang", "amount", "isOpenAmount", "minAmount", "maxAmount",
        "createDate", "inActive",
    ),
    reads_by="key",
    keyed=True,
    find={"title": "title"},
)  # fmt: skip
CATEGORY = Group(
    "ProductCategory",
    lambda api: {"nameEn": "Sweets", "nameAr": "حلويات", "sort": 3},
    {"nameEn": "Cakes", "sort": 4, "inActive": True},
    {"nameEn": "NameEnRequired"},
    {
        "id": "integer", "nameEn": "text", "nameAr": "text", "sort": "integer", "code": "text",
        "createDate": "date", "inActive": "flag",
    },
    ("id", "nameEn", "nameAr", "sort", "code", "createDate"),
)  # fmt: skip
PRODUCT = Group(
    "Product",
    product,
    {"nameEn": "Fresh dates", "price": "2.750", "quantity": 8},
    {"categoryId": "CategoryIdRequired", "nameEn": "NameEnRequired"},
    {
        "id": "integer", "code": "text", "nameEn": "text", "nameAr": "text", "quantity": "number",
        "price": "number", "stockable": "flag", "categoryId": "integer", "descEn": "text", "descAr": "text",
        "stockableShow": "flag", "attachments": "rows",
    },
    ("id", "code", "nameEn", "nameAr", "categoryNameEn", "categoryNameAr", "quantity", "price", "stockable"),
    find={"name": "nameEn"},
)  # fmt: skip
PRODUCT_LINK = Group(
    "ProductLink",
    product_link,
    {"nameEn": "Eid", "termsCondition": "Returns in a week"},
    {"nameEn": "NameEnRequired", "nameAr": "NameArRequired"},
    {
        "id": "integer", "key": "key", "code": "text", "nameEn": "text", "nameAr": "text",
        "termsConditionEnabled": "flag", "termsCondition": "text", "inActive": "flag", "createDate": "date",
        "categories": "rows",
    },
    ("id", "key", "nameEn", "nameAr"),
    reads_by="key",
    keyed=True,
    unechoed=("products",),  # come back inside their categories
)  # fmt: skip
CUSTOMER = Group(
    "Customer",
    customer,
    {"name": "Noura", "mobile": "+96566000000"},
    {"name": "CustomerNameRequired"},
    {
        "id": "integer", "code": "text", "name": "text", "ref_Number": "text", "mobile": "text",
        "email": "text", "account_Holder_Name": "text", "account_Number": "text", "iban": "text",
        "other": "text", "createDate": "date",
    },
    ("id", "code", "name", "ref_Number", "mobile", "email", "createDate"),
    find={"name": "name", "mobile": "mobile", "email": "email", "refNumber": "ref_Number"},
)  # fmt: skip
PLAN = Group(
    "InstallmentPlan",
    plan,
    {"customerName": "Noura", "comment": "A bed"},
    {
        "customerName": "CustomerNameRequired",
        "amount": "AmountRequired",
    },
    {
        "id": "integer", "key": "key", "code": "text", "status": "text", "customerName": "text",
        "amount": "number", "installmentCount": "integer", "startDate": "date", "payPer": "text",
        "isFlexible": "flag", "lateFeesType": "text", "paidAmount": "number", "remainingAmount": "number",
        "createDate": "date", "installments": "rows",
    },
    ("id", "key", "code", "status", "customerName", "amount"),
    keyed=True,
    find={"customerName": "customerName", "refNumber": "ref_Number", "status": "status"},
)  # fmt: skip
TEMPLATE = Group(
    "SubscriptionTemplate",
    template,
    {"nameEn": "Gym and pool", "amount": "18.500"},
    {"nameEn": "NameEnRequired", "amount": "AmountRequired", "billPeriod": "BillPeriodRequired"},
    {
        "id": "integer", "code": "text", "createDate": "date", "nameEn": "text", "nameAr": "text",
        "amount": "number", "durationPeriod": "text", "durationNo": "integer", "billPeriod": "text",
        "billNo": "integer", "autoRenew": "flag", "canBeSuspended": "flag", "closedByCustomer": "flag",
        "isInternal": "flag", "inActive": "flag",
    },
    ("id", "code", "nameEn", "amount", "billPeriod"),
)  # fmt: skip
SUBSCRIPTION = Group(
    "Subscription",
    subscription,
    {"customerName": "Noura", "comment": "Welcome back"},
    {"templateId": "TemplateIdRequired", "customerName": "CustomerNameRequired"},
    {
        "id": "integer", "key": "key", "code": "text", "status": "text", "templateId": "integer",
        "customerName": "text", "customerMobile": "text", "customerEmail": "text", "ref_Number": "text",
        "lang": "text", "amount": "number", "startDate": "date", "endDate": "date?", "nextBillDate": "date?",
        "createDate": "date", "comment": "text",
    },
    ("id", "key", "code", "status", "templateId", "customerName", "amount"),
    keyed=True,
    find={
        "customerName": "customerName", "refNumber": "ref_Number", "status": "status",
        "templateId": "templateId",
    },
)  # fmt: skip
SUBSCRIPTION_LINK = Group(
    "SubscriptionLink",
    subscription_link,
    {"nameEn": "Join us", "termsCondition": "Returns in a week"},
    {"nameEn": "NameEnRequired", "templateId": "TemplateIdRequired"},
    {
        "id": "integer", "key": "key", "code": "text", "createDate": "date", "templateId": "integer",
        "nameEn": "text", "nameAr": "text", "termsConditionEnabled": "flag", "termsCondition": "text",
        "inActive": "flag",
    },
    ("id", "key", "code", "nameEn", "templateId"),
    keyed=True,
)  # fmt: skip

GROUPS = (
    PAYMENT_LINK, CATEGORY, PRODUCT, PRODUCT_LINK, CUSTOMER, PLAN, TEMPLATE, SUBSCRIPTION, SUBSCRIPTION_LINK,
)  # fmt: skip
