"""The groups of which the path is documented and hardly more (contract 10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django_sadadpay.gateway import catalog_fields as c

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_sadadpay.gateway.fields import Field

    Fields = tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Folder:
    """One group of Sadad's: its folder in the path, its calls, its fields.

    :ivar attribute: of ``SadadClient``.
    :ivar row: fields of a row of getall, where it shows less than ``reply``.
    :ivar requests, replies: of the calls that have their own.
    :ivar refers: an insert names another object, so ``UnauthorizedAccess`` may be about that one.
    :ivar refusals: error keys that prove that nothing was done (assumed).
    """

    group: str
    name: str
    attribute: str
    calls: str
    insert: Fields = ()
    update: Fields = ()
    filters: Fields = c.OPTIONS
    reply: Fields = ()
    row: Fields = ()
    requests: Mapping[str, Fields] = field(default_factory=dict)
    replies: Mapping[str, Fields] = field(default_factory=dict)
    refers: bool = False
    refusals: frozenset[str] = frozenset()


FOLDERS = (
    Folder(
        "Payment Links",
        "PaymentLink",
        "payment_links",
        "getall getbykey insert update getforpayment delete",
        c.PAYMENT_LINK,
        c.PAYMENT_LINK_UPDATE,
        c.PAYMENT_LINK_FILTERS,
        c.PAYMENT_LINK_REPLY,
        c.PAYMENT_LINK_ROW,
        replies={"getforpayment": c.PAYMENT_LINK_PAYER},
        refusals=frozenset({"TitleRequired", "AmountRequired", "InvalidAmount"}),
    ),
    Folder(
        "Installments Plan",
        "InstallmentPlan",
        "installment_plans",
        "getall getbyid getforpayment insert update delete",
        c.PLAN,
        c.PLAN_UPDATE,
        c.PLAN_FILTERS,
        c.PLAN_REPLY,
        refusals=frozenset(
            {
                "CustomerNameRequired",
                "AmountRequired",
                "InstallmentPlanCannotBeUpdated",
                "ScheduleTotalNotEqualInstalllemntTotal",  # spelt so
            }
        ),
    ),
    Folder(
        "Products",
        "Product",
        "products",
        "getall getbyid insert update delete",
        c.PRODUCT,
        c.PRODUCT_UPDATE,
        c.PRODUCT_FILTERS,
        c.PRODUCT_REPLY,
        c.PRODUCT_ROW,
        refers=True,
        refusals=frozenset({"CategoryIdRequired", "NameEnRequired"}),
    ),
    Folder(
        "Product Links",
        "ProductLink",
        "product_links",
        "getall getbykey insert update getforpayment delete",
        c.PRODUCT_LINK,
        c.PRODUCT_LINK_UPDATE,
        reply=c.PRODUCT_LINK_REPLY,
        row=c.PRODUCT_LINK_ROW,
        refers=True,
        refusals=frozenset({"NameEnRequired", "NameArRequired", "ProductNotExist"}),
    ),
    Folder(
        "Categories",
        "ProductCategory",
        "product_categories",
        "getall getbyid insert update delete",
        c.CATEGORY,
        c.CATEGORY_UPDATE,
        reply=c.CATEGORY_REPLY,
        refusals=frozenset({"NameEnRequired"}),
    ),
    Folder(
        "Customers",
        "Customer",
        "customers",
        "getall getbyid insert update delete",
        c.CUSTOMER,
        c.CUSTOMER_UPDATE,
        c.CUSTOMER_FILTERS,
        c.CUSTOMER_REPLY,
        refusals=frozenset({"CustomerNameRequired"}),
    ),
    Folder(
        "Subscription",
        "Subscription",
        "subscriptions",
        "getall getbyid generatesubscriptionschedule getforpayment insert update delete",
        c.SUBSCRIPTION,
        c.SUBSCRIPTION_UPDATE,
        c.SUBSCRIPTION_FILTERS,
        c.SUBSCRIPTION_REPLY,
        replies={"generatesubscriptionschedule": c.PERIOD_REPLY},
        refers=True,
        refusals=frozenset({"TemplateIdRequired", "CustomerNameRequired"}),
    ),
    Folder(
        "Subscription Template",
        "SubscriptionTemplate",
        "subscription_templates",
        "getall getbyid insert update delete",
        c.TEMPLATE,
        c.TEMPLATE_UPDATE,
        reply=c.TEMPLATE_REPLY,
        refusals=frozenset({"NameEnRequired", "AmountRequired", "BillPeriodRequired"}),
    ),
    Folder(
        "Subscription Link",
        "SubscriptionLink",
        "subscription_links",
        "getall getbyid insert update delete getlinkdetail",
        c.SUBSCRIPTION_LINK,
        c.SUBSCRIPTION_LINK_UPDATE,
        reply=c.SUBSCRIPTION_LINK_REPLY,
        refers=True,
        refusals=frozenset({"TemplateIdRequired", "NameEnRequired"}),
    ),
    Folder(
        "Embedded Payment",
        "EmbeddedPayment",
        "embedded",
        "allow_domain intiate_order_session",
        requests={"allow_domain": c.DOMAIN, "intiate_order_session": c.SESSION},
        replies={"allow_domain": (), "intiate_order_session": c.SESSION_REPLY},
        refusals=frozenset(
            {"DomainRequired", "InvalidPaymentMethod", "AmountRequired", "CustomerNameRequired"}
        ),
    ),
)
