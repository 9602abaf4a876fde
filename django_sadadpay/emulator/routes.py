"""Every documented path (contract 3 to 10), and which of them the stand-in answers.

A group is added by writing its module with a ``ROUTES`` tuple, and ``SHAPES`` if it keeps objects, and
naming it in ``GROUPS``.
"""

from __future__ import annotations

from django_sadadpay.emulator import (
    auth,
    catalogue,
    common,
    customers,
    invoices,
    payment_links,
    product_links,
    refunds,
)
from django_sadadpay.emulator.objects import Shape
from django_sadadpay.emulator.protocol import Route

GROUPS = (auth, catalogue, common, customers, invoices, payment_links, product_links, refunds)

#: What Sadad documents and no module answers yet: HTTP 501, errorKey NotEmulated.
NOT_YET = {
    "Invoice": ("POST createinstallmentplanlinkinvoice",),
    "EmbeddedPayment": ("POST allow_domain", "POST intiate_order_session"),
    "InstallmentPlan": (
        "GET getall",
        "GET getbyid",
        "GET getforpayment",
        "POST insert",
        "PUT update",
        "DELETE delete",
    ),
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

#: Every kind of object by its name, the API's group.
SHAPES: dict[str, Shape] = {shape.name: shape for group in GROUPS for shape in getattr(group, "SHAPES", ())}

#: Paths are matched without regard to case (contract 1.2).
BY_PATH = {route.path.lower(): route for route in ROUTES}
