"""What staff can do about a case that waits for a person."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from django_sadadpay import InsideTransaction, checkout, refund, verify
from django_sadadpay.models import Attention, Invoice, Refund, WebhookEvent
from django_sadadpay.models.attention import RULES, Code
from django_sadadpay.services import cases, maintenance
from django_sadadpay.services.errors import Refused, TryAgain
from django_sadadpay.testing.gateway import Sadad
from tests.services.conftest import fresh, waiting
from tests.services.test_inbox import store
from tests.shop.models import Order


def paid_with(behaviour: str, sadad: Sadad, order: Order, **values: Any) -> Invoice:
    Order.objects.update(behaviour=behaviour)
    invoice = checkout(fresh(order))
    Order.objects.update(**values)
    sadad.pay(invoice)
    sadad.deliver()
    return Invoice.objects.get(pk=invoice.pk)


def case(code: str) -> Attention:
    return Attention.objects.get(code=code, resolved_at=None)


def test_every_reason_has_a_way_to_end() -> None:
    assert set(RULES) == set(Code)
    assert all(rule.actions for rule in RULES.values())


def test_what_is_not_on_offer_is_refused(sadad: Sadad, order: Order, admin_user: User) -> None:
    paid_with("raise", sadad, order)
    found = case(Code.HOOK_FAILED)
    for action in ("apply", "refund", "nonsense"):
        with pytest.raises(Refused):
            cases.act(found, action, by=admin_user)
    with transaction.atomic(), pytest.raises(InsideTransaction):
        cases.act(found, "retry", by=admin_user)


def test_a_failed_hook_is_tried_again(sadad: Sadad, order: Order, admin_user: User) -> None:
    paid_with("raise", sadad, order)
    Order.objects.update(behaviour="")
    found = cases.act(case(Code.HOOK_FAILED), "retry", by=admin_user)
    assert not found.is_open
    assert found.by_name == "admin"
    assert cases.actions(found) == ()
    assert fresh(order).paid_calls == 1
    assert str(found) == f"hook_failed ({found.pk})"


def test_a_changed_amount_is_counted_all_the_same(sadad: Sadad, order: Order, admin_user: User) -> None:
    paid_with("", sadad, order, amount=Decimal("1.000"))
    cases.act(case(Code.AMOUNT_CHANGED), "apply", by=admin_user)
    assert (fresh(order).paid_calls, waiting()) == (1, [])


def test_a_case_is_dismissed_with_a_note_and_only_once(sadad: Sadad, order: Order, admin_user: User) -> None:
    paid_with("cannot", sadad, order)
    first, second = case(Code.CANNOT_FULFIL), case(Code.CANNOT_FULFIL)
    found = cases.act(first, "dismiss", by=admin_user, note="called the buyer")
    assert (found.resolution, found.by_name) == ("dismissed: called the buyer", "admin")
    with pytest.raises(Refused, match="no_longer_waiting"):
        cases.act(second, "dismiss", by=admin_user)


def test_a_mismatch_is_verified_again(sadad: Sadad, order: Order, admin_user: User) -> None:
    invoice = checkout(order)
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="amount", value=1, times=1)
    verify(invoice)
    cases.act(case(Code.MISMATCH), "verify", by=admin_user)
    assert waiting() == []


@pytest.mark.parametrize(
    ("action", "state"), [("happened", Refund.State.DONE), ("did_not_happen", Refund.State.DID_NOT_HAPPEN)]
)
def test_an_unknown_refund_is_decided(
    sadad: Sadad, order: Order, admin_user: User, action: str, state: str
) -> None:
    invoice = paid_with("", sadad, order)
    sadad.control.faults.add("Refund/insert", "cut_before", times=1)
    row = refund(invoice, "3.000", reason="a")
    sadad.control.refund(invoice.sadad_id, "1.000")
    verify(invoice)
    found = case(Code.REFUND_UNKNOWN)
    assert cases.actions(found) == ("verify", "happened", "did_not_happen")
    cases.act(found, action, by=admin_user)
    assert (fresh(row).state, waiting()) == (state, [])


def test_a_refund_hook_is_tried_again(sadad: Sadad, order: Order, admin_user: User) -> None:
    invoice = paid_with("", sadad, order)
    Order.objects.update(behaviour="raise_refund")
    refund(invoice, "1.000", reason="a")
    Order.objects.update(behaviour="")
    cases.act(case(Code.REFUND_HOOK_FAILED), "retry", by=admin_user)
    assert fresh(order).refund_calls == 1


def test_an_event_is_tried_again(sadad: Sadad, order: Order, admin_user: User) -> None:
    there = sadad.control.create("3.000", ref_Number="A-1-abcdefghij", customer_Name="Noor")
    event = store(invoiceId=there["id"])
    maintenance.process_inbox()
    cases.act(case(Code.EVENT_WITHOUT_ROW), "retry", by=admin_user)
    assert fresh(event).tries == 2
    assert fresh(event).state == WebhookEvent.State.DEAD


def test_refused_keys_are_tried_again(sadad: Sadad, order: Order, admin_user: User, settings: Any) -> None:
    good = settings.SADADPAY
    bad = {**good["ACCOUNTS"]["default"], "CLIENT_SECRET": "cs_wrong"}
    settings.SADADPAY = {**good, "ACCOUNTS": {"default": bad}}
    assert maintenance.refresh_tokens() == {"default": False}
    with pytest.raises(TryAgain, match="keys_refused"):
        cases.act(case(Code.KEYS_REFUSED), "verify", by=admin_user)
    settings.SADADPAY = good
    cases.act(case(Code.KEYS_REFUSED), "verify", by=admin_user)
    assert waiting() == []


def test_an_action_on_a_subject_that_is_missing_does_nothing(order: Order, admin_user: User) -> None:
    """Rows are made by us with their subject; a row without one must not break the page."""
    row = Attention(account="default", environment="sandbox", code=Code.HOOK_FAILED)
    for action in (cases._apply, cases._retry, cases._happened, cases._did_not_happen):
        action(row, admin_user, "")


@pytest.mark.parametrize("action", ["adopt", "send_again", "take_theirs", "keep_ours"])
def test_what_is_decided_about_an_object_needs_the_object(action: str, admin_user: Any) -> None:
    with pytest.raises(Refused, match="object_gone"):
        getattr(cases, f"_{action}")(Attention(), admin_user, "")
