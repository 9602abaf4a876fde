"""Settings of the example shop. What ``./run demo`` decides comes in by the environment.

With ``SADADPAY_CLIENT_KEY`` and ``SADADPAY_CLIENT_SECRET`` it talks to Sadad's sandbox, else to the emulator.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

#: Everything that the shop writes goes here; git ignores it.
FOLDER = Path(os.environ.get("SHOP_FOLDER", Path(__file__).resolve().parent.parent / ".demo"))
SITE_URL = os.environ.get("SHOP_URL", "http://127.0.0.1:8000")
EMULATOR = os.environ.get("SADADPAY_EMULATOR", "http://127.0.0.1:8001")

SECRET_KEY = os.environ.get("SHOP_SECRET_KEY", "for a demo on this machine only, never for a real shop")
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
DEBUG = False

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_sadadpay",
    "example_project.shop",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "example_project.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "example_project.shop.context.basket",
            ],
        },
    },
]

# IMMEDIATE: a writer waits for the lock at the start of its transaction instead of failing in the middle.
_SQLITE = {
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
}
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(FOLDER / "shop.sqlite3"),
        "OPTIONS": _SQLITE,
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ar", "العربية")]
USE_TZ = True
TIME_ZONE = "Asia/Kuwait"
STATIC_URL = "static/"

# With keys of your own payments go to Sadad's sandbox, else to the emulator, which knows one pair of keys.
_KEY, _SECRET = os.environ.get("SADADPAY_CLIENT_KEY", ""), os.environ.get("SADADPAY_CLIENT_SECRET", "")
USES_SANDBOX = bool(_KEY and _SECRET)
SADADPAY: dict[str, Any] = {
    "ACCOUNTS": {
        "default": {
            "CLIENT_KEY": _KEY if USES_SANDBOX else "ck_emulator",
            "CLIENT_SECRET": _SECRET if USES_SANDBOX else "cs_emulator",
            "ENVIRONMENT": "sandbox",
            "WEBHOOK_SECRET": os.environ.get("SHOP_WEBHOOK_SECRET", "only-known-to-this-machine"),
            "API_URL": None if USES_SANDBOX else f"{EMULATOR}/api",
            "PAY_URL": None if USES_SANDBOX else f"{EMULATOR}/pay",
        },
    },
    "SITE_URL": SITE_URL,
    "TASK_RUNNER": "celery",
    "INVOICE_VALID_DAYS": 3 if USES_SANDBOX else 365,  # the demo may move the emulator's clock by months
}

# Celery without any server (``broker.py``). A real shop has Redis or RabbitMQ here.
_BROKER = str(FOLDER / "broker")
CELERY_BROKER_URL = "folder://"
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "data_folder_in": _BROKER,
    "data_folder_out": _BROKER,
    "control_folder": str(FOLDER / "broker-control"),
    "polling_interval": 0.2,  # seconds; a folder does not ring when a message comes
}
CELERY_TIMEZONE = TIME_ZONE
#: Seconds between two runs of every background task; 0 keeps django-sadadpay's own pace.
BEAT_SECONDS = float(os.environ.get("SHOP_BEAT_SECONDS", "0"))

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"django_sadadpay": {"level": "INFO"}},
}
