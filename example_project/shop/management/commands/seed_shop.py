"""The products of the example shop and a member of staff; what is there already stays."""

from __future__ import annotations

from argparse import ArgumentParser
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

from example_project.shop.models import Product

#: slug, English name and text, Arabic name and text, price in KWD
PRODUCTS = (
    (
        "dates",
        "Khlas dates",
        "Half a kilo, soft, this year's harvest.",
        "تمر خلاص",
        "نصف كيلو، طري، من محصول هذا العام.",
        "2.750",
    ),
    (
        "dallah",
        "Brass dallah",
        "The Gulf's coffee pot, for eight small cups.",
        "دلة نحاسية",
        "دلة القهوة الخليجية، لثمانية فناجين.",
        "18.500",
    ),
    (
        "coffee",
        "Arabic coffee",
        "Light roast with cardamom and saffron, 250 g.",
        "قهوة عربية",
        "تحميص فاتح بالهيل والزعفران، ٢٥٠ غراماً.",
        "4.750",
    ),
    (
        "bukhoor",
        "Incense burner",
        "Carved wood, for bukhoor and oud.",
        "مبخرة",
        "خشب محفور، للبخور والعود.",
        "7.250",
    ),
    (
        "dhow",
        "Model dhow",
        "A pearling boat of teak, 30 cm long.",
        "مجسّم بوم",
        "سفينة غوص من خشب الساج، طولها ٣٠ سم.",
        "34.900",
    ),
    (
        "karak",
        "Karak glasses",
        "Six tea glasses with a thin blue rim.",
        "استكانات كرك",
        "ستة أكواب شاي بحافة زرقاء رفيعة.",
        "3.625",
    ),
)


class Command(BaseCommand):
    help = "Make the example shop's products and, with --password, the staff user 'admin'."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--password", default="", help="of the staff user 'admin'")

    def handle(self, *args: Any, password: str, **options: Any) -> None:
        for position, row in enumerate(PRODUCTS, 1):
            _product(position, *row)
        if password:
            _staff(password)


def _product(position: int, slug: str, *texts: str) -> None:
    name_en, text_en, name_ar, text_ar, price = texts
    values = {"name_en": name_en, "text_en": text_en, "name_ar": name_ar, "text_ar": text_ar}
    Product.objects.get_or_create(
        slug=slug, defaults={**values, "price": Decimal(price), "position": position}
    )


def _staff(password: str) -> None:
    user, _made = get_user_model().objects.get_or_create(
        username="admin", defaults={"is_staff": True, "is_superuser": True}
    )
    user.set_password(password)
    user.save()
