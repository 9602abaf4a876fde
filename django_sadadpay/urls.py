"""``path("payments/", include("django_sadadpay.urls"))``."""

from __future__ import annotations

from django.urls import path

from django_sadadpay.services.transactions import outside
from django_sadadpay.views import CheckoutView, ReturnView, WebhookView

app_name = "sadadpay"

_webhook = outside(WebhookView.as_view())
_return = outside(ReturnView.as_view())
_checkout = outside(CheckoutView.as_view())

# Each also without its last slash: Sadad's panel takes the address as typed; no POST can be redirected.
# The secret takes whatever follows: mistyped behind it, the address would be Django's 404, which logs it.
urlpatterns = [
    path("webhook/<str:account>/<path:secret>/", _webhook, name="webhook"),
    path("webhook/<str:account>/<path:secret>", _webhook),
    path("return/<str:reference>", _return),
    path("return/<str:reference>/", _return, name="return"),
    path("checkout/<str:signed>", _checkout),
    path("checkout/<str:signed>/", _checkout, name="checkout"),
]
