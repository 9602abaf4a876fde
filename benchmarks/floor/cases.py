"""The floors: what nobody who keeps payments in this database can do without."""

from __future__ import annotations

import itertools
from decimal import Decimal
from functools import partial
from secrets import compare_digest

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from benchmarks.cases import Case, Operation
from benchmarks.floor.models import PlainEvent, PlainInvoice, PlainOrder

_SECRET = "unguessable"
_numbers = itertools.count(1)


def floors() -> list[Case]:
    return [
        Case("floor A: insert + locked invoice + order", _payment),
        Case("floor B: verified view + dedupe insert", _webhook),
    ]


def _payment() -> Operation:
    number = f"F-{next(_numbers)}"
    order = PlainOrder.objects.create()
    invoice = PlainInvoice.objects.create(order=order, reference=number, amount=Decimal("12.345"))
    return partial(_pay, invoice.pk, number)


def _pay(pk: int, key: str) -> None:
    with transaction.atomic():
        PlainEvent.objects.create(key=key, body="{}")
        invoice = PlainInvoice.objects.select_for_update().get(pk=pk)
        PlainInvoice.objects.filter(pk=pk).update(state="paid")
        PlainOrder.objects.filter(pk=invoice.order_id).update(status="paid")


def _webhook() -> Operation:
    request = RequestFactory().post("/", {"id": next(_numbers)}, content_type="application/json")
    return partial(_view, request, _SECRET)


def _view(request: HttpRequest, secret: str) -> HttpResponse:
    if not compare_digest(secret, _SECRET):
        return HttpResponse(status=404)
    body = request.body.decode()
    with transaction.atomic():
        PlainEvent.objects.bulk_create([PlainEvent(key=body, body=body)], ignore_conflicts=True)
    return HttpResponse()
