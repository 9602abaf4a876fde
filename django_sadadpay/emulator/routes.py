"""Every documented path (contract 3 to 10).

A group is added by writing its module with a ``ROUTES`` tuple, and ``SHAPES`` if it keeps objects, and
naming it in ``GROUPS``.
"""

from __future__ import annotations

from django_sadadpay.emulator import (
    auth,
    catalogue,
    common,
    customers,
    embedded,
    invoices,
    payment_links,
    plans,
    product_links,
    refunds,
    subscription_links,
    subscription_templates,
    subscriptions,
)
from django_sadadpay.emulator.objects import Shape
from django_sadadpay.emulator.protocol import Route

GROUPS = (
    auth,
    catalogue,
    common,
    customers,
    embedded,
    invoices,
    payment_links,
    plans,
    product_links,
    refunds,
    subscription_links,
    subscription_templates,
    subscriptions,
)

ROUTES: tuple[Route, ...] = tuple(route for group in GROUPS for route in group.ROUTES)

#: Every kind of object by its name, the API's group.
SHAPES: dict[str, Shape] = {shape.name: shape for group in GROUPS for shape in getattr(group, "SHAPES", ())}

#: Paths are matched without regard to case (contract 1.2).
BY_PATH = {route.path.lower(): route for route in ROUTES}
