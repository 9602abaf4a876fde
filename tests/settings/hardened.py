"""What careful projects switch on: a transaction around every request, and a login for every page."""

from __future__ import annotations

from tests.settings.sqlite import *  # noqa: F403 - a settings module is its base and a few changes
from tests.settings.sqlite import DATABASES, MIDDLEWARE

DATABASES["default"]["ATOMIC_REQUESTS"] = True
MIDDLEWARE = [*MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
