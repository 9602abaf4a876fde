"""SadadPay for Django. Public names are resolved lazily, so that they can be imported in a shop's
``models.py``.

Importing this package imports nothing: gateway and emulator work without Django.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django_sadadpay.registry import (
        CannotFulfil,
        CategoryDraft,
        Customer,
        CustomerDraft,
        DraftError,
        InvoiceDraft,
        Line,
        Mirrored,
        Payable,
        PaymentLinkDraft,
        PlanDraft,
        ProductDraft,
        ProductLinkDraft,
        SubscriptionDraft,
        SubscriptionLinkDraft,
        TemplateDraft,
        register,
    )
    from django_sadadpay.services.checkout import cancel, checkout
    from django_sadadpay.services.errors import (
        AlreadyPaid,
        InsideTransaction,
        NeedsAttention,
        NothingToPay,
        OutcomePending,
        PaymentError,
        Refused,
        TryAgain,
    )
    from django_sadadpay.services.links import checkout_url
    from django_sadadpay.services.mirroring import mirror
    from django_sadadpay.services.push import sync
    from django_sadadpay.services.refunds import refund
    from django_sadadpay.services.verify import verify

__version__ = "0.1.0"

_HOMES = {
    "django_sadadpay.registry": (
        "CannotFulfil",
        "CategoryDraft",
        "Customer",
        "CustomerDraft",
        "DraftError",
        "InvoiceDraft",
        "Line",
        "Mirrored",
        "Payable",
        "PaymentLinkDraft",
        "PlanDraft",
        "ProductDraft",
        "ProductLinkDraft",
        "SubscriptionDraft",
        "SubscriptionLinkDraft",
        "TemplateDraft",
        "register",
    ),
    "django_sadadpay.services.checkout": ("cancel", "checkout"),
    "django_sadadpay.services.errors": (
        "AlreadyPaid",
        "InsideTransaction",
        "NeedsAttention",
        "NothingToPay",
        "OutcomePending",
        "PaymentError",
        "Refused",
        "TryAgain",
    ),
    "django_sadadpay.services.links": ("checkout_url",),
    "django_sadadpay.services.mirroring": ("mirror",),
    "django_sadadpay.services.push": ("sync",),
    "django_sadadpay.services.refunds": ("refund",),
    "django_sadadpay.services.verify": ("verify",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AlreadyPaid",
    "CannotFulfil",
    "CategoryDraft",
    "Customer",
    "CustomerDraft",
    "DraftError",
    "InsideTransaction",
    "InvoiceDraft",
    "Line",
    "Mirrored",
    "NeedsAttention",
    "NothingToPay",
    "OutcomePending",
    "Payable",
    "PaymentError",
    "PaymentLinkDraft",
    "PlanDraft",
    "ProductDraft",
    "ProductLinkDraft",
    "Refused",
    "SubscriptionDraft",
    "SubscriptionLinkDraft",
    "TemplateDraft",
    "TryAgain",
    "cancel",
    "checkout",
    "checkout_url",
    "mirror",
    "refund",
    "register",
    "sync",
    "verify",
]


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
