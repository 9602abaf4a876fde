"""``{% load sadadpay %}``: money in templates, as everywhere else."""

from __future__ import annotations

from decimal import Decimal

from django import template
from django.utils.translation import get_language

from django_sadadpay import money

register = template.Library()


@register.filter(name="money")
def show_money(amount: Decimal | int | str | None, currency: str = money.KWD) -> str:
    """``{{ invoice.amount|money }}``, ``{{ price|money:currency }}``; None is empty.

    :raises MoneyError: a float or no number, as :func:`django_sadadpay.money.parse`.
    """
    if amount is None or amount == "":
        return ""
    exact = amount if isinstance(amount, Decimal) else money.parse(amount)
    return money.show(exact, currency, get_language() or "en")
