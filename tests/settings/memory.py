"""For tools that only read the settings (mypy's plugin, makemigrations): nothing is written anywhere."""

from __future__ import annotations

from tests.settings.base import *  # noqa: F403 - a settings module is its base and a few changes

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
