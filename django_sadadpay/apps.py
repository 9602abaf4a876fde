from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class SadadPayConfig(AppConfig):
    name = "django_sadadpay"
    label = "sadadpay"
    verbose_name = _("SadadPay payments")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django_sadadpay import checks, conf

        checks.connect()
        conf.connect()
        autodiscover_modules("sadadpay")
