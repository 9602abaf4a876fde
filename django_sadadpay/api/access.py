"""Who may do what: model permissions, never anonymous. The project's DRF settings say who somebody is."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

VIEW_INVOICES, VIEW_REFUNDS, VIEW_CASES = (
    "sadadpay.view_invoice",
    "sadadpay.view_refund",
    "sadadpay.view_attention",
)
VERIFY, REFUND = "sadadpay.verify_invoice", "sadadpay.refund_invoice"
VIEW_CUSTOMER_DATA = "sadadpay.view_customer_data"


class HasPermissions(BasePermission):
    """The view's ``needs``, all of them. Asked before any row is looked for, so that a 404 tells nothing."""

    def has_permission(self, request: Request, view: Any) -> bool:
        user: Any = request.user
        return bool(user and user.is_authenticated and user.has_perms(view.needs))


def person(request: Request) -> Any:
    """The user whom ledger and refunds name; None for a caller without a row, such as a token's stand-in."""
    return request.user if isinstance(request.user, get_user_model()) else None
