"""The shop's Celery application: ``celery -A example_project worker -B``."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from django.conf import settings

from example_project import broker  # noqa: F401 - knows folder://

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
        often = {"schedule": settings.BEAT_SECONDS, "options": {"expires": 5 * settings.BEAT_SECONDS}}
        entries = {name: {**entry, **often} for name, entry in entries.items()}
    # What staff make in Sadad's panel comes in by night, or when they ask for it in the admin.
    pull = {"task": "sadadpay.pull", "schedule": crontab(hour=3, minute=0)}
    sender.conf.beat_schedule = {**entries, "pull": pull}
