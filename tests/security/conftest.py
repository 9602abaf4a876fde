"""A sale with everything in it that an attacker, or a careless log, could be after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client

from django_sadadpay.models import GatewayToken, Invoice
from django_sadadpay.services import crypto
from django_sadadpay.testing.gateway import Sadad
from tests.views.conftest import invoice, order

__all__ = ["invoice", "order"]

PHONE, EMAIL = "96550000001", "noor@example.com"


@pytest.fixture
def secrets(sadad: Sadad) -> Callable[[], tuple[str, ...]]:
    """What must be nowhere: keys and tokens as they are now, and the buyer's phone and e-mail address."""

    def now() -> tuple[str, ...]:
        account = django_settings.SADADPAY["ACCOUNTS"]["default"]
        found = [
            PHONE,
            EMAIL,
            account["CLIENT_SECRET"],
            account["WEBHOOK_SECRET"],
            django_settings.SECRET_KEY,
        ]
        for row in GatewayToken.objects.all():
            found += [
                crypto.decrypt(row.access) or "",
                crypto.decrypt(row.refresh) or "",
                row.access,
                row.refresh,
            ]
        return tuple(text for text in found if text)

    return now


@pytest.fixture
def paid(sadad: Sadad, invoice: Invoice) -> Invoice:
    """12.345 KWD, paid, and its order told."""
    sadad.pay(invoice)
    assert sadad.deliver() == [200]
    invoice.refresh_from_db()
    return invoice


@pytest.fixture
def boss(transactional_db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


def staff(*permissions: str, is_staff: bool = True, **options: Any) -> Client:
    """Somebody logged in, with these permissions of ours and no others."""
    from django.contrib.auth.models import Permission

    user = User.objects.create_user(f"user{User.objects.count()}", is_staff=is_staff)
    rows = Permission.objects.filter(content_type__app_label="sadadpay", codename__in=permissions)
    assert rows.count() == len(set(permissions))
    user.user_permissions.set(rows)
    client = Client(**options)
    client.force_login(user)
    return client
