"""The example shop's addresses and the back office's API, by which the soak's staff refund."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from example_project.urls import urlpatterns as shop

urlpatterns: list[URLPattern | URLResolver] = [
    *shop,
    path("payments/api/", include("django_sadadpay.api.urls")),
]
