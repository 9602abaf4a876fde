"""The example shop as in production: PostgreSQL, Redis, the staff's API; and time that runs faster."""

from __future__ import annotations

import os

from example_project import settings as shop
from example_project.settings import *  # noqa: F403 - a settings module is its base and a few changes
from tests.servers import redis
from tests.settings.server import database

ROOT_URLCONF = "benchmarks.soak.urls"
INSTALLED_APPS = [*shop.INSTALLED_APPS, "rest_framework", "benchmarks.soak.apps.SoakConfig"]
DATABASES = {
    "default": {**database("SADADPAY_TEST_POSTGRES", "postgresql"), "CONN_MAX_AGE": 600},
}
CELERY_BROKER_URL = os.environ.get(redis.VARIABLE, "")
CELERY_BROKER_TRANSPORT_OPTIONS = {}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
}
# What these are otherwise, and by how much they are shortened, says hurry.py.
SADADPAY = {
    **shop.SADADPAY,
    "INVOICE_VALID_DAYS": 3,
    "RETURN_VIEW_DEADLINE": 1,
    "RECONCILE_MAX_SECONDS": 6,
}
