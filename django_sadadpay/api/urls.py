"""``path("payments/api/", include("django_sadadpay.api.urls"))``."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import path

from django_sadadpay.api import views

if find_spec("drf_spectacular") is not None:  # the extra "api"
    from django_sadadpay.api import schema  # noqa: F401 - it registers itself

app_name = "sadadpay-api"

urlpatterns = [
    path("invoices/", views.InvoiceList.as_view(), name="invoice-list"),
    path("invoices/<str:reference>/", views.InvoiceDetail.as_view(), name="invoice-detail"),
    path("invoices/<str:reference>/verify/", views.InvoiceVerify.as_view(), name="invoice-verify"),
    path("invoices/<str:reference>/refunds/", views.InvoiceRefunds.as_view(), name="invoice-refunds"),
    path("refunds/", views.RefundList.as_view(), name="refund-list"),
    path("attention/", views.AttentionList.as_view(), name="attention-list"),
]
