"""What the example shop sells, and a member of staff; what is there already stays.

Saving is enough: a worker tells Sadad.
"""

from __future__ import annotations

from argparse import ArgumentParser
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.db import transaction

from django_sadadpay import PaymentLinkDraft
from django_sadadpay.models import PaymentLink
from django_sadadpay.services import mirroring
from example_project.shop.models import Box, Category, Product

#: English name, Arabic name, and the slugs of what is in it.
CATEGORIES = (
    ("To taste", "للتذوق", ("dates", "coffee")),
    ("For the table", "للضيافة", ("dallah", "karak")),
    ("For the home", "للمنزل", ("bukhoor", "dhow")),
)

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

BOX = (
    "coffee-box",
    "Coffee box",
    "Every month a new roast from another farm, with a card that tells of it.",
    "صندوق القهوة",
    "كل شهر تحميصة جديدة من مزرعة أخرى، مع بطاقة تحكي قصتها.",
    "6.500",
)

COURSE = "Roasting course · دورة تحميص القهوة"
COURSE_PRICE = "12.500"


class Command(BaseCommand):
    help = "Make the example shop's catalogue and, with --password, the staff user 'admin'."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--password", default="", help="of the staff user 'admin'")

    def handle(self, *args: Any, password: str, **options: Any) -> None:
        _catalogue()
        if password:
            _staff(password)


@transaction.atomic  # so that the worker is woken once, after all of it
def _catalogue() -> None:
    _categories()
    for position, row in enumerate(PRODUCTS, 1):
        _offer(Product, *row, category=_category_of(row[0]), position=position)
    _offer(Box, *BOX)
    _course()


def _categories() -> None:
    for position, (name_en, name_ar, _slugs) in enumerate(CATEGORIES, 1):
        Category.objects.get_or_create(name_en=name_en, defaults={"name_ar": name_ar, "position": position})


def _category_of(slug: str) -> Category:
    (name,) = (name for name, _, slugs in CATEGORIES if slug in slugs)
    return Category.objects.get(name_en=name)


def _offer(model: type[Product] | type[Box], slug: str, *texts: str, **more: Any) -> None:
    name_en, text_en, name_ar, text_ar, price = texts
    values = {"name_en": name_en, "text_en": text_en, "name_ar": name_ar, "text_ar": text_ar}
    defaults = {**values, "price": Decimal(price), **more}
    model._default_manager.get_or_create(slug=slug, defaults=defaults)


def _course() -> None:
    """What has no model in the shop is made here or, by staff, in the admin."""
    if not PaymentLink.objects.filter(title=COURSE).exists():
        mirroring.create(PaymentLinkDraft(title=COURSE, amount=COURSE_PRICE, lang="en"))


def _staff(password: str) -> None:
    user, _made = get_user_model().objects.get_or_create(
        username="admin", defaults={"is_staff": True, "is_superuser": True}
    )
    user.set_password(password)
    user.save()
