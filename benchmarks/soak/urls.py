"""The example shop's addresses and the back office's API, by which the soak's staff refund."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("payments/api/", include("django_sadadpay.api.urls")),
    path("", include("example_project.urls")),
]
