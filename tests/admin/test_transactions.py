"""The pages that call Sadad are outside any transaction, also where a project puts one around requests."""

from __future__ import annotations

import pytest
from django.core.handlers.base import BaseHandler
from django.db import connections
from django.test import Client
from django.urls import resolve

from django_sadadpay.models import Attention, Invoice, Refund
from django_sadadpay.services import clock
from django_sadadpay.testing.gateway import Sadad
from tests.admin.conftest import hidden, told, url

pytestmark = pytest.mark.django_db(transaction=True)

OURS = [
    ("invoice", "refund", 1),
    ("invoice", "verify", 1),
    ("invoice", "cancel", 1),
    ("attention", "act", 1, "verify"),
    ("webhookevent", "retry", 1),
]


@pytest.fixture
def atomic_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)
    assert connections.settings["default"]["ATOMIC_REQUESTS"]


def is_atomic(address: str) -> bool:
    view = resolve(address).func
    return BaseHandler().make_view_atomic(view) is not view


@pytest.mark.parametrize("page", OURS)
def test_our_pages_are_exempt(atomic_requests: None, page: tuple[str, str, object]) -> None:
    model, name, *args = page
    assert not is_atomic(url(model, name, *args))


def test_django_s_own_pages_are_not(atomic_requests: None) -> None:
    """So that the test above can fail."""
    assert is_atomic(url("invoice"))
    assert is_atomic(url("invoice", "change", 1))


def test_refund_verify_and_cases_work_under_atomic_requests(
    atomic_requests: None, sadad: Sadad, paid_invoice: Invoice, boss: Client
) -> None:
    page = url("invoice", "refund", paid_invoice.pk)
    form = {**hidden(boss.get(page)), "amount": "1", "reason": "x", "confirmed": "yes"}
    assert told(boss.post(page, form)) == [("success", "1.000 KWD refunded.")]
    assert Refund.objects.get().state == Refund.State.DONE
    assert told(boss.post(url("invoice", "verify", paid_invoice.pk)))[0][0] == "success"
    case = Attention.objects.create(
        account="default",
        environment="sandbox",
        code="invoice_not_found",
        open_slot="one",
        invoice=paid_invoice,
        created_at=clock.now(),
    )
    assert told(boss.post(url("attention", "act", case.pk, "verify")))[0][0] == "success"


def test_cancel_works_under_atomic_requests(
    atomic_requests: None, open_invoice: Invoice, boss: Client
) -> None:
    assert told(boss.post(url("invoice", "cancel", open_invoice.pk)))[0][0] == "success"
