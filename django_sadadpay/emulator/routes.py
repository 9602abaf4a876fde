"""Every documented path (contract 3 to 10), and which of them the stand-in answers.

A group is added by writing its module with a ``ROUTES`` tuple and naming it in ``GROUPS``.
"""

from __future__ import annotations

from django_sadadpay.emulator import auth, common, invoices, refunds
from django_sadadpay.emulator.protocol import Route

GROUPS = (auth, common, invoices, refunds)

#: What Sadad documents and no module answers yet: HTTP 501, errorKey NotEmulated.
NOT_YET = {
    "Invoice": (
        "POST createpaymentlinkinvoice",
        "POST createproductlinkinvoice",
        "POST createinstallmentplanlinkinvoice",
        "GET GetByTypeKey",
    ),
    "PaymentLink": (
        "GET getall",
        "GET getbykey",
        "POST insert",
        "PUT update",
        "GET getforpayment",
        "DELETE delete",
    ),
    "EmbeddedPayment": ("POST allow_domain", "POST intiate_order_session"),
    "InstallmentPlan": (
        "GET getall",
        "GET getbyid",
        "GET getforpayment",
        "POST insert",
        "PUT update",
        "DELETE delete",
    ),
    "Product": ("GET getall", "GET getbyid", "POST insert", "PUT update", "DELETE delete"),
    "ProductLink": (
        "GET getall",
        "GET getbykey",
        "POST insert",
        "PUT update",
        "GET getforpayment",
        "DELETE delete",
    ),
    "ProductCategory": ("GET getall", "GET getbyid", "POST insert", "PUT update", "DELETE delete"),
    "Customer": ("GET getall", "GET getbyid", "POST insert", "PUT update", "DELETE delete"),
    "Subscription": (
        "GET getall",
        "GET getbyid",
        "GET generatesubscriptionschedule",
        "GET getforpayment",
        "POST insert",
        "PUT update",
        "DELETE delete",
    ),
    "SubscriptionTemplate": ("GET getall", "GET getbyid", "POST insert", "PUT update", "DELETE delete"),
    "SubscriptionLink": (
        "GET getall",
        "GET getbyid",
        "POST insert",
        "PUT update",
        "DELETE delete",
        "GET getlinkdetail",
    ),
}


def _not_yet() -> list[Route]:
    pairs = ((group, row.split(" ")) for group, rows in NOT_YET.items() for row in rows)
    return [Route(f"{group}/{name}", verb) for group, (verb, name) in pairs]


ROUTES: tuple[Route, ...] = (*(route for group in GROUPS for route in group.ROUTES), *_not_yet())

#: Paths are matched without regard to case (contract 1.2).
BY_PATH = {route.path.lower(): route for route in ROUTES}
