"""Bills of subscriptions: taken over, settled and told once, whoever comes first and whatever dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from django_sadadpay import signals
from django_sadadpay.models import Attention, Invoice, Subscription, SubscriptionPeriod, WebhookEvent
from django_sadadpay.services import push, subscriptions
from django_sadadpay.testing.gateway import Sadad
from tests.mirrors.conftest import fresh, waiting
from tests.mirrors.recurring import Heard, World, hearing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(sadad: Sadad, sadad_clock: Callable[[float], None], transactional_db: None) -> World:
    return World(sadad, sadad_clock)


@pytest.fixture
def renewed() -> Iterator[Heard]:
    with hearing(
        signals.subscription_renewed, lambda **s: (s["period"].number, s["invoice"].sadad_id)
    ) as heard:
        yield heard


@pytest.fixture
def missed() -> Iterator[Heard]:
    with hearing(signals.subscription_missed, lambda **s: (s["period"].number,)) as heard:
        yield heard


@pytest.fixture
def ended() -> Iterator[Heard]:
    with hearing(signals.subscription_ended, lambda **s: (s["subscription"].pk,)) as heard:
        yield heard


def test_schedule_and_first_bill_are_there_after_a_run(world: World, renewed: Heard) -> None:
    row = world.subscription()
    world.run()
    row = fresh(row)
    first = row.periods.get(number=1)

    assert (row.status, row.periods.count() > 3) == ("Active", True)
    assert first.invoice.sadad_id == world.bills()[0]
    assert (first.invoice.made_from, first.invoice.amount) == (f"subscription:{row.pk}", Decimal("5.000"))
    assert subscriptions.next_invoice(row) == first.invoice
    assert first.invoice.pay_url.startswith("http")
    assert renewed.said == []
    assert waiting() == []


def test_paid_bill_is_told_once_by_the_webhook(world: World, renewed: Heard) -> None:
    row = world.subscription()
    world.run()
    world.sadad.control.pay(world.bills()[0])
    assert world.sadad.deliver(times=3) == [200, 200, 200]
    world.run()
    world.days(0.2)
    world.run()

    assert renewed.said == [(1, world.bills()[0])]
    assert row.periods.get(number=1).told == "renewed"
    assert subscriptions.next_invoice(row) is None


def test_webhook_that_comes_before_any_run_takes_the_bill_over(world: World, renewed: Heard) -> None:
    row = world.subscription()
    world.sadad.control.pay(world.bills()[0])
    assert world.sadad.deliver() == [200]
    world.run()

    assert renewed.said == [(1, world.bills()[0])]
    assert WebhookEvent.objects.get().state == "done"
    assert Invoice.objects.get().made_from == f"subscription:{row.pk}"
    assert waiting() == []


def test_paid_bill_is_found_without_any_webhook(world: World, renewed: Heard) -> None:
    world.subscription()
    world.sadad.control.pay(world.bills()[0])
    world.run()
    world.run()

    assert renewed.said == [(1, world.bills()[0])]


def test_unpaid_bill_is_missed_once_when_the_next_is_due_and_renewed_when_it_is_paid_late(
    world: World, renewed: Heard, missed: Heard
) -> None:
    row = world.subscription()
    world.run()
    world.days(6)
    world.run()
    assert missed.said == []
    world.days(1)
    world.run()
    world.days(1)
    world.run()

    assert missed.said == [(1,)]
    assert [period.told for period in row.periods.order_by("number")[:2]] == ["missed", ""]
    world.sadad.control.pay(world.bills()[0], force=True)
    world.days(1)
    world.run()
    assert renewed.said == [(1, world.bills()[0])]
    assert row.periods.get(number=1).told == "renewed"


def test_end_is_told_once(world: World, renewed: Heard, ended: Heard) -> None:
    row = world.subscription(duration_period="Weekly", duration_no=2)
    world.run()
    for _ in range(2):
        world.sadad.control.pay(world.bills()[-1])
        world.days(7)
        world.run()
    world.days(1)
    world.run()

    row = fresh(row)
    assert (row.status, ended.said, len(renewed.said)) == ("Completed", [(row.pk,)], 2)
    assert row.next_check_at is None
