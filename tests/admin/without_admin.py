"""A project without Django's admin, sessions and messages, in a process of its own (test_without_admin.py).

python -m tests.admin.without_admin FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command


def configure(folder: Path, emulator_settings: dict[str, object]) -> None:
    settings.configure(
        SECRET_KEY="only-for-tests",
        ALLOWED_HOSTS=["testserver"],
        ROOT_URLCONF="tests.admin.plain_urls",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django_sadadpay.apps.SadadPayConfig",
            "tests.shop",
        ],
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(folder / "plain.sqlite3"),
                "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL;"},
            }
        },
        USE_TZ=True,
        STATIC_URL="/static/",
        SADADPAY=emulator_settings,
    )
    django.setup()


def take_a_payment(sadad_id_paid: object) -> str:
    """Checkout, pay, webhook, refund; what the order says then."""
    from decimal import Decimal

    from django.test import Client

    from django_sadadpay import checkout, refund
    from tests.shop.models import Order

    order = Order.objects.create(number="A-1", amount=Decimal("12.345"))
    order.lines.create(name="Coffee", price=Decimal("12.345"))
    invoice = checkout(order)
    sadad_id_paid(invoice.sadad_id)  # type: ignore[operator]  # the emulator's control.pay
    body = f'{{"invoiceId": {invoice.sadad_id}}}'
    answer = Client().post(
        "/payments/webhook/default/a-webhook-secret-of-the-tests/", body, content_type="application/json"
    )
    assert answer.status_code == 200, answer.status_code
    assert Client().get(f"/payments/return/{invoice.reference}/").status_code == 200
    refund(type(invoice).objects.get(pk=invoice.pk), "2.345", reason="x")
    order.refresh_from_db()
    return f"{order.status} {order.refunded}"


def main(folder: Path) -> None:
    from django_sadadpay.emulator import Emulator

    with Emulator(deliver="manual") as emulator:
        account = {
            "CLIENT_KEY": emulator.client_key,
            "CLIENT_SECRET": emulator.client_secret,
            "ENVIRONMENT": "sandbox",
            "WEBHOOK_SECRET": "a-webhook-secret-of-the-tests",
            "API_URL": emulator.api_url,
            "PAY_URL": emulator.pay_url,
        }
        configure(folder, {"ACCOUNTS": {"default": account}, "SITE_URL": "https://shop.example"})
        call_command("check")
        call_command("migrate", run_syncdb=True, verbosity=0)
        print(take_a_payment(emulator.control.pay))
    loaded = [
        name for name in sys.modules if name.startswith(("django.contrib.admin", "django_sadadpay.admin"))
    ]
    print("admin loaded:", loaded)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
