"""What every Django project of the test matrix has in common; the modules beside this add a database each."""

from __future__ import annotations

from typing import Any

SECRET_KEY = "only-for-tests-never-used-anywhere-else"
DEBUG = False
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost", "shop.example"]
ROOT_URLCONF = "tests.urls"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_sadadpay.apps.SadadPayConfig",
    "tests.shop",
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

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ar", "العربية")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Kuwait"

STATIC_URL = "/static/"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # users are made by the hundred
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Port 9 is "discard": a test without an emulator is refused at once, and nothing leaves the machine.
SADADPAY: dict[str, Any] = {
    "ACCOUNTS": {
        "default": {
            "CLIENT_KEY": "ck_test",
            "CLIENT_SECRET": "cs_test",
            "ENVIRONMENT": "sandbox",
            "WEBHOOK_SECRET": "unguessable-webhook-secret-of-the-tests",
            "API_URL": "http://127.0.0.1:9/api",
            "PAY_URL": "http://127.0.0.1:9/pay",
        },
    },
    "SITE_URL": "https://shop.example",
    "TASK_RUNNER": "inline",
}
