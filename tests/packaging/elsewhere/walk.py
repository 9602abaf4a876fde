"""One sale with the installed package and its emulator; prints what was seen, a line each."""

from __future__ import annotations

import os
from pathlib import Path

from django_sadadpay.emulator import Emulator


def main() -> None:
    with Emulator() as emulator:
        os.environ["EMULATOR_API_URL"] = emulator.api_url
        os.environ["EMULATOR_PAY_URL"] = emulator.pay_url
        sell(emulator)


def sell(emulator: Emulator) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    import django

    django.setup()
    from corner.models import Order
    from django.contrib.staticfiles import finders
    from django.test import Client
    from django.utils import translation

    import django_sadadpay
    from django_sadadpay import checkout

    print("package", Path(django_sadadpay.__file__).parent)
    order = Order.objects.create(total="4.750")
    with translation.override("ar"):  # the pages follow the language of the checkout
        invoice = checkout(order)
    emulator.control.pay(invoice.sadad_id)
    page = Client().get(f"/pay/return/{invoice.reference}/", headers={"accept-language": "ar"})
    order.refresh_from_db()
    text = page.content.decode()
    print("page", page.status_code, 'dir="rtl"' in text, 'lang="ar"' in text, "4.750 د.ك" in text)
    print("paid", order.is_paid)
    static = Path(django_sadadpay.__file__).parent / "static"
    names = [str(file.relative_to(static)) for file in sorted(static.rglob("*")) if file.is_file()]
    print("static", len(names) > 0, all(finders.find(name) for name in names))


if __name__ == "__main__":
    main()
