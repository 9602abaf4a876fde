from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ShopConfig(AppConfig):
    name = "example_project.shop"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Shop")

    def ready(self) -> None:
        from example_project import (
            celery,
        )  # so that the web server, too, sends its tasks through the shop's broker

        celery.app.set_current()
