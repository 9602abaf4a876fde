from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_sadadpay.models import Mirror


class SadadPayConfig(AppConfig):
    name = "django_sadadpay"
    label = "sadadpay"
    verbose_name = _("SadadPay payments")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django_sadadpay import checks, conf
        from django_sadadpay.services import following, waking

        checks.connect()
        conf.connect()
        following.connect()
        waking.connect(_wake)
        autodiscover_modules("sadadpay")


def _wake(rows: Sequence[Mirror]) -> None:
    """Who pushes what a transaction marked: a worker, this process if asked to, or the next run."""
    from django_sadadpay import conf
    from django_sadadpay.services import push

    config = conf.current()
    if config.task_runner == "celery":
        from django_sadadpay import tasks

        tasks.send_push()
    elif config.push_on_save:
        push.rows(rows)
