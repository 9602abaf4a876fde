"""A shop that knows nothing of our checkout: it has the installed wheel only."""

from __future__ import annotations

import os

SECRET_KEY = "only-for-the-test-of-the-wheel"
ALLOWED_HOSTS = ["testserver"]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_sadadpay",
    "corner",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
ROOT_URLCONF = "urls"
STATIC_URL = "/static/"
LANGUAGES = [("en", "English"), ("ar", "العربية")]
USE_TZ = True
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "shop.sqlite3",
        "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL;"},
    },
}
SADADPAY = {
    "ACCOUNTS": {
        "default": {
            "CLIENT_KEY": "ck_emulator",
            "CLIENT_SECRET": "cs_emulator",
            "ENVIRONMENT": "sandbox",
            "WEBHOOK_SECRET": "unguessable-webhook-secret-of-the-wheel-test",
            "API_URL": os.environ.get("EMULATOR_API_URL"),
            "PAY_URL": os.environ.get("EMULATOR_PAY_URL"),
        },
    },
    "SITE_URL": "https://shop.example",
}
