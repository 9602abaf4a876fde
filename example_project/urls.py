from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from example_project.demo.later import later

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("example_project.shop.urls")),
    path("payments/", include("django_sadadpay.urls")),
    path("language/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
]
if not settings.USES_SANDBOX:
    urlpatterns += [path("a-month-later/<str:token>/", later, name="later")]
