"""A button for whoever tries the demo: Sadad's clock moves on by a month, so that the next bill is made."""

from __future__ import annotations

import requests
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from django_sadadpay.models import GatewayToken, Subscription
from django_sadadpay.services import subscriptions
from django_sadadpay.services.mirroring import row_of
from example_project.shop.models import Subscriber

MONTH = 31 * 24 * 3600  # seconds


@require_POST
def later(request: HttpRequest, token: str) -> HttpResponse:
    """The worker would find the bill on the day on which it is made; by our clock that day has not come."""
    subscriber = get_object_or_404(Subscriber, token=token)
    a_month_later()
    row = row_of(subscriber)
    if isinstance(row, Subscription) and row.sadad_id is not None:
        subscriptions.follow(row)
    return redirect(subscriber)


def a_month_later() -> None:
    """For the emulator. The shop's token has run out there, though by our clock it is a few seconds old."""
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the machine must not stand between two local programs
        answer = session.post(f"{settings.EMULATOR}/control/advance", json={"seconds": MONTH}, timeout=10)
        answer.raise_for_status()
    GatewayToken.objects.all().delete()
