"""How a shop's own models become payable, or are mirrored at Sadad: small classes, found by themselves in
``yourshop/sadadpay.py``.

``register()`` only stores; nothing here touches the database or reads settings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import models

from django_sadadpay.registry.drafts import (
    CategoryDraft,
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
from django_sadadpay.registry.errors import DraftError
from django_sadadpay.registry.mirrored import Mirrored, Mirrors, mirrors
from django_sadadpay.registry.payable import (
    CannotFulfil,
    Customer,
    InvoiceDraft,
    Line,
    Payable,
    Registry,
    payables,
)

C = TypeVar("C", bound=type[Any])

__all__ = [
    "CannotFulfil",
    "CategoryDraft",
    "Customer",
    "CustomerDraft",
    "Draft",
    "DraftError",
    "InvoiceDraft",
    "Line",
    "Mirrored",
    "Mirrors",
    "Payable",
    "PaymentLinkDraft",
    "PlanDraft",
    "ProductDraft",
    "ProductLinkDraft",
    "Registry",
    "SubscriptionDraft",
    "SubscriptionLinkDraft",
    "TemplateDraft",
    "mirrors",
    "payables",
    "register",
]


def register(target: type[models.Model] | str, *, name: str = "") -> Callable[[C], C]:
    """Class decorator for a :class:`Payable` or a :class:`Mirrored`: ``@register(Order, name="order")``;
    for a payable without a model, ``@register("donation")``.

    :param name: stored with every row; default ``app.model``. It must never change once rows exist.
    :raises ImproperlyConfigured: a name registered twice, or a Mirrored without a model or a draft.
    """

    def decorate(cls: C) -> C:
        model = None if isinstance(target, str) else target
        given = name or (target if isinstance(target, str) else target._meta.label_lower)
        if issubclass(cls, Mirrored):
            mirrors.add(cls, model, given)
        else:
            payables.add(cls, model, given)
        return cls

    return decorate
