"""What careful projects switch on: a transaction around every request, and a login for every page."""

from __future__ import annotations

from tests.settings import sqlite
from tests.settings.sqlite import *  # noqa: F403 - a settings module is its base and a few changes

DATABASES = {"default": {**sqlite.DATABASES["default"], "ATOMIC_REQUESTS": True}}
MIDDLEWARE = [*sqlite.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
