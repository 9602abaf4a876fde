from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("payments/", include("django_sadadpay.urls")),
    path("api/", include("django_sadadpay.api.urls")),
]
