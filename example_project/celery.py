"""The shop's Celery application: ``celery -A example_project worker -B``."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")

app = Celery("example_project")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_finalize.connect
def schedule(sender: Celery, **_: Any) -> None:
    """django-sadadpay's own schedule; the demo runs it every few seconds instead of every minute."""
    from django_sadadpay.tasks import beat_schedule  # needs the models, so not before Django is set up

    entries = beat_schedule()
    if settings.BEAT_SECONDS:
        entries = {name: {**entry, "schedule": settings.BEAT_SECONDS} for name, entry in entries.items()}
    sender.conf.beat_schedule = entries
