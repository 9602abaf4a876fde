"""Lists of many invoices: a page must not take longer because there are more of them."""

from __future__ import annotations

import copy
import logging
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.urls import reverse

from benchmarks.cases import Case, Operation
from benchmarks.measuring import Result, measure
from django_sadadpay.models import Invoice
from django_sadadpay.testing.factories import InvoiceFactory

PAGES = {
    "admin list": ("admin:sadadpay_invoice_changelist", ""),
    "admin list, one state": ("admin:sadadpay_invoice_changelist", "?state__exact=expired"),
    "REST list": ("sadadpay-api:invoice-list", ""),
}
_BATCH = 2000


def measure_lists(sizes: list[int], rounds: int) -> dict[int, list[Result]]:
    """Every page at every size, the smallest first."""
    logging.getLogger("django.request").setLevel(logging.CRITICAL)
    client = Client()
    client.force_login(_boss())
    cases = [Case(name, partial(_page, client, *page)) for name, page in PAGES.items()]
    found = {}
    for size in sorted(sizes):
        _fill(size)
        found[size] = measure(cases, rounds, 1)
    return found


def _page(client: Client, name: str, query: str) -> Operation:
    return partial(_get, client, reverse(name) + query)


def _get(client: Client, address: str) -> None:
    answer = client.get(address)
    if answer.status_code != 200:
        raise AssertionError(f"{address} answered {answer.status_code}")


def _boss() -> Any:
    return get_user_model().objects.create_superuser("boss", "boss@shop.example", "boss")


def _fill(size: int) -> None:
    """So many invoices in all; half of the new ones have ended, as in a shop's table."""
    first = Invoice.objects.count()
    kinds: list[dict[str, Any]] = [{"paid": True}, {"expired": True}]
    patterns = [InvoiceFactory.build(**kind) for kind in kinds]
    for start in range(first, size, _BATCH):
        numbers = range(start, min(start + _BATCH, size))
        Invoice.objects.bulk_create([_copy(patterns[n % 2], n) for n in numbers])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _copy(pattern: Invoice, number: int) -> Invoice:
    """The factory takes a millisecond for each."""
    row = copy.copy(pattern)
    row.reference, row.shop_reference, row.sadad_id = f"filler-{number}", f"F-{number}", f"9{number:09}"
    row.paid_slot = f"filler-{number}" if row.is_paid else None
    return row
