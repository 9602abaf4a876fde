"""Bills of subscriptions: taken over, settled and told once, whoever comes first and whatever dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, transaction

from django_sadadpay import InsideTransaction, Refused, TryAgain, checkout, signals
from django_sadadpay.gateway.errors import NotFound
from django_sadadpay.models import Attention, Invoice, Subscription, WebhookEvent
from django_sadadpay.services import (
    adoption,
    bills,
    cases,
    clock,
    inbox,
    mirroring,
    push,
    settlement,
    snapshots,
    subscriptions,
    telling,
    transactions,
)
from django_sadadpay.services.adoption import Expected
from django_sadadpay.testing.gateway import Sadad
from django_sadadpay.texts import attention_sentence
from tests.fire.racing import race, unexpected
from tests.mirrors.conftest import fresh, waiting
from tests.mirrors.recurring import Heard, World, hearing
from tests.services.conftest import make_order
from tests.shop.models import Client, Level, Membership, Order

SCHEDULE = "Subscription/generatesubscriptionschedule"
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

    assert (row.status, row.periods.count() > 3) == ("Active", True)
    assert world.invoice(row).sadad_id == world.bills()[0]
    invoice = world.invoice(row)
    assert (invoice.made_from, invoice.amount) == (f"subscription:{row.pk}", Decimal("5.000"))
    assert subscriptions.next_invoice(row) == invoice
    assert invoice.pay_url.startswith("http")
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


def test_receiver_that_raises_is_told_again_and_leaves_nothing_behind(world: World, missed: Heard) -> None:
    row = world.subscription()
    world.sadad.control.pay(world.bills()[0])
    with hearing(signals.subscription_renewed, lambda **s: (s["period"].number,), raises=2) as heard:
        world.run()
        assert (heard.said, waiting()) == ([], ["signal_failed"])
        assert row.periods.get(number=1).told == ""
        assert world.invoice(row).is_paid
        world.later(180)
        world.run()
        assert heard.said == []
        world.later(180)
        world.run()
        world.later(180)
        world.run()

        assert (heard.said, waiting()) == ([(1,)], [])
        case = Attention.objects.get()
        assert case.params["error"] == "RuntimeError"
        assert "Telling the shop of subscription_renewed failed" in attention_sentence(case.code, case.params)


def test_one_receiver_that_raises_undoes_what_the_others_stored(world: World) -> None:
    """So that each takes effect once, whoever of them fails."""

    def stores(**said: Any) -> None:
        Order.objects.create(number=f"period {said['period'].number}", amount=1)

    world.subscription()
    world.sadad.control.pay(world.bills()[0])
    signals.subscription_renewed.connect(stores)
    try:
        with hearing(signals.subscription_renewed, lambda **s: (), raises=1):
            world.run()
            assert Order.objects.count() == 0
            world.later(180)
            world.run()
            world.later(180)
            world.run()
    finally:
        signals.subscription_renewed.disconnect(stores)

    assert [order.number for order in Order.objects.all()] == ["period 1"]


def test_staff_have_a_failed_receiver_told_again(world: World, admin_user: Any) -> None:
    world.subscription()
    world.sadad.control.pay(world.bills()[0])
    with hearing(signals.subscription_renewed, lambda **s: (s["period"].number,), raises=1) as heard:
        world.run()
        case = Attention.objects.get()
        cases.act(case, "retry", by=admin_user)
        assert heard.said == [(1,)]
        assert not fresh(case).is_open


def test_killed_after_settling_the_next_run_tells(world: World, renewed: Heard, monkeypatch: Any) -> None:
    row = world.subscription()
    world.run()
    world.sadad.control.pay(world.bills()[0])
    with monkeypatch.context() as dying:
        dying.setattr(telling, "of", _die)
        with pytest.raises(Killed):
            world.sadad.deliver()
    invoice = world.invoice(row)
    assert (invoice.is_paid, renewed.said) == (True, [])
    assert fresh(row).next_check_at <= clock.now()

    world.run()
    assert renewed.said == [(1, invoice.sadad_id)]


def test_killed_after_taking_a_bill_over_the_next_run_settles_it(
    world: World, renewed: Heard, monkeypatch: Any
) -> None:
    world.subscription()
    world.sadad.control.pay(world.bills()[0])
    with monkeypatch.context() as dying:
        dying.setattr(settlement, "settle", _die)
        with pytest.raises(Killed):
            world.sadad.deliver()
    assert [invoice.state for invoice in Invoice.objects.all()] == ["open"]
    world.run()

    assert renewed.said == [(1, world.bills()[0])]


def test_killed_while_telling_nothing_is_stored_and_it_is_told_later(
    world: World, renewed: Heard, monkeypatch: Any
) -> None:
    row = world.subscription()
    world.run()
    world.sadad.control.pay(world.bills()[0])

    def stores_and_dies(**said: Any) -> None:
        Order.objects.create(number="renewed", amount=1)
        raise Killed

    signals.subscription_renewed.connect(stores_and_dies)
    try:
        with pytest.raises(Killed):
            world.sadad.deliver()
    finally:
        signals.subscription_renewed.disconnect(stores_and_dies)
    assert (Order.objects.count(), row.periods.get(number=1).told) == (0, "")

    world.run()
    assert renewed.said[-1] == (1, world.bills()[0])
    assert row.periods.get(number=1).told == "renewed"


@pytest.mark.races
def test_workers_that_settle_and_tell_at_once_tell_once(world: World) -> None:
    """What the receiver stores is kept with the transaction in which it was told."""

    def stores(**said: Any) -> None:
        Order.objects.create(number=f"period {said['period'].number}", amount=1)

    row = world.subscription()
    bill = world.bills()[0]
    world.sadad.control.pay(bill)
    signals.subscription_renewed.connect(stores)
    try:
        results = race(
            *[lambda: subscriptions.check(row.pk)] * 3,
            *[lambda: world.sadad.post({"invoiceId": int(bill)})] * 3,
        )
    finally:
        signals.subscription_renewed.disconnect(stores)

    assert unexpected(results) == []
    assert [order.number for order in Order.objects.all()] == ["period 1"]
    assert Invoice.objects.count() == 1
    assert waiting() == []


def test_bill_that_asks_for_another_amount_is_not_counted_and_asks_a_person(
    world: World, renewed: Heard, missed: Heard
) -> None:
    """Sadad's schedule and its invoice agree: what we hold is the template's amount."""
    row = world.subscription()
    for endpoint, path in ((SCHEDULE, "0.amount"), ("Invoice/getbyid", "amount")):
        world.sadad.control.faults.add(endpoint, "reply_field", path=path, value=4)
    world.run()
    world.sadad.control.pay(world.bills()[0])
    world.run()
    world.sadad.deliver()

    invoice = world.invoice(row)
    assert (invoice.amount, invoice.is_paid) == (Decimal("5.000"), False)
    assert (renewed.said, waiting()) == ([], ["mismatch"])
    world.days(8)
    world.run()
    assert (renewed.said, missed.said) == ([], [])


def test_bill_with_another_reference_is_not_counted_and_asks_a_person(world: World, renewed: Heard) -> None:
    world.subscription()
    world.sadad.control.pay(world.bills()[0])
    with world.says("Invoice/getbyid", "ref_Number", "another"):
        world.run()

    assert (renewed.said, waiting()) == ([], ["mismatch"])


def test_invoice_of_our_own_checkout_is_never_taken_for_a_bill(world: World, renewed: Heard) -> None:
    order = make_order("5.000")
    paid = checkout(order)
    row = world.subscription()
    theirs = int(paid.sadad_id or 0)
    with world.says(SCHEDULE, "0.invoiceId", theirs):
        world.run()
        assert (waiting(), row.periods.exclude(invoice=None).exists()) == (["bill_differs"], False)
    case = Attention.objects.get()
    assert (case.params["what"], case.params["sadad_id"]) == ("made_from", paid.sadad_id)
    world.days(1.1)
    world.run()

    assert (waiting(), world.invoice(row).sadad_id) == ([], world.bills()[-1])


def test_one_invoice_never_bills_two_periods(world: World, renewed: Heard) -> None:
    row = world.subscription()
    bill = int(world.bills()[0])
    with world.says(SCHEDULE, "1.invoiceId", bill):
        world.run()
        world.sadad.control.pay(bill)
        world.days(1.1)
        world.run()

    assert renewed.said == [(1, str(bill))]
    assert (row.periods.get(number=2).invoice, waiting()) == (None, ["bill_differs"])


def test_period_keeps_its_invoice_when_the_schedule_names_another(world: World) -> None:
    row = world.subscription()
    world.run()
    with world.says(SCHEDULE, "0.invoiceId", 7):
        subscriptions.follow(row)

    period = row.periods.get(number=1)
    assert (period.sadad_invoice_id, waiting()) == (world.bills()[0], ["bill_differs"])


def test_bill_that_sadad_does_not_know_asks_a_person(world: World) -> None:
    world.subscription()
    with world.says(SCHEDULE, "0.invoiceId", 7):
        world.run()

    assert waiting() == ["bill_differs"]


@pytest.mark.parametrize("amount", [None, 0, 4])
def test_amount_of_the_schedule_does_not_count_where_there_is_a_template(
    world: World, renewed: Heard, amount: int | None
) -> None:
    row = world.subscription()
    with world.says(SCHEDULE, "0.amount", amount):
        world.run()

    assert (world.invoice(row).amount, waiting()) == (Decimal("5.000"), [])


def test_bill_without_any_amount_of_ours_asks_a_person(world: World) -> None:
    row = world.subscription()
    Subscription.objects.filter(pk=row.pk).update(template=None)
    with world.says(SCHEDULE, "0.amount", None):
        world.run()

    assert waiting() == ["bill_differs"]
    assert Invoice.objects.count() == 0


def test_schedule_that_calls_a_bill_paid_settles_nothing(world: World, renewed: Heard) -> None:
    row = world.subscription()
    with world.says(SCHEDULE, "0.status", "Paid"):
        world.run()
        subscriptions.follow(row)

    assert (renewed.said, world.invoice(row).is_paid) == ([], False)


def test_period_that_was_never_billed_is_missed_by_sadads_word_alone(world: World, missed: Heard) -> None:
    row = world.subscription()
    with world.says(SCHEDULE, "0.status", "Missed"), world.says(SCHEDULE, "0.invoiceId", 0):
        subscriptions.follow(row)

    assert missed.said == [(1,)]


def test_history_of_a_subscription_that_was_made_elsewhere_is_told_to_nobody(
    world: World, renewed: Heard, missed: Heard
) -> None:
    made = made_in_the_panel(world)
    world.sadad.control.pay(world.bills()[0])
    world.days(14)
    row = Subscription.objects.create(
        account="default", environment="sandbox", sadad_id=str(made["id"]), ref_number="S-9", state="synced"
    )
    world.run()
    assert (renewed.said, missed.said) == ([], [])
    assert [period.told for period in row.periods.order_by("number")[:3]] == ["before", "before", ""]
    world.sadad.control.pay(world.bills()[2])
    world.sadad.deliver()

    assert renewed.said == [(3, world.bills()[2])]


def test_pause_resume_and_close_are_wanted_and_pushed(world: World, ended: Heard) -> None:
    row = world.subscription()
    world.run()
    for act, word in (
        (subscriptions.pause, "Suspended"),
        (subscriptions.resume, "Active"),
        (subscriptions.close, "Closed"),
    ):
        calls = len(world.sadad.calls())
        act(row)
        assert len(world.sadad.calls()) == calls
        push.run()
        world.later(300)
        world.run()
        assert (fresh(row).status, fresh(row).state) == (word, "synced")
    assert ended.said == [(row.pk,)]
    with pytest.raises(Refused, match="subscription_over"):
        subscriptions.resume(row)


def test_deleted_subscription_has_ended(world: World, ended: Heard) -> None:
    row = world.subscription()
    world.run()
    mirroring.remove(row)
    push.run()
    world.days(2)
    world.run()
    world.days(2)
    world.run()

    assert (fresh(row).state, ended.said) == ("deleted", [(row.pk,)])


def test_end_is_told_again_after_a_receiver_raised(world: World) -> None:
    row = world.subscription()
    world.run()
    subscriptions.close(row)
    push.run()
    with hearing(signals.subscription_ended, lambda **s: (s["subscription"].pk,), raises=1) as heard:
        for _ in range(4):
            world.later(300)
            world.run()

    assert (heard.said, waiting()) == ([(row.pk,)], [])


def test_subscription_that_sadad_has_no_more_asks_a_person(world: World, ended: Heard) -> None:
    row = world.subscription()
    Subscription.objects.filter(pk=row.pk).update(sadad_id="999")
    world.run()

    assert (waiting(), ended.said) == (["mirror_gone"], [])
    with pytest.raises(NotFound):
        subscriptions.refresh(fresh(row))


def test_answer_about_another_subscription_is_no_answer(world: World) -> None:
    row = world.subscription()
    with world.says("Subscription/getbyid", "id", 999), pytest.raises(TryAgain):
        subscriptions.refresh(row)

    assert row.periods.count() == 0


def test_gateway_that_fails_is_asked_again_and_what_is_settled_is_told(world: World, renewed: Heard) -> None:
    row = world.subscription()
    world.days(7)
    world.sadad.control.pay(world.bills()[0])
    world.sadad.control.pay(world.bills()[1])
    world.sadad.control.faults.add("Invoice/getbyid", "error_before", times=9, skip=1)
    with pytest.raises(TryAgain):
        subscriptions.follow(row)
    assert renewed.said == [(1, world.bills()[0])]
    world.sadad.control.faults.clear()
    world.later(600)
    world.run()

    assert renewed.said == [(1, world.bills()[0]), (2, world.bills()[1])]


def test_row_of_another_environment_is_left_alone(world: World) -> None:
    row = world.subscription()
    Subscription.objects.filter(pk=row.pk).update(environment="live")
    calls = len(world.sadad.calls("Subscription/getbyid"))
    world.run()

    assert len(world.sadad.calls("Subscription/getbyid")) == calls
    assert fresh(row).next_check_at > clock.now()


def test_subscription_that_is_not_at_sadad_yet_cannot_be_read(world: World) -> None:
    row = Subscription.objects.create(account="default", environment="sandbox", ref_number="S-1-abcdefghij")
    with pytest.raises(Refused, match="no_sadad_id"):
        subscriptions.refresh(row)


def test_reading_inside_a_transaction_is_refused(world: World) -> None:
    row = world.subscription()
    with pytest.raises(InsideTransaction), transaction.atomic():
        subscriptions.follow(row)


def test_webhook_waits_while_the_schedule_does_not_name_its_bill_and_then_asks(
    world: World, renewed: Heard, sadad_clock: Callable[[float], None]
) -> None:
    world.subscription()
    world.sadad.control.pay(world.bills()[0])
    with world.says(SCHEDULE, "0.invoiceId", 0):
        assert world.sadad.deliver() == [503]
        assert (WebhookEvent.objects.get().state, waiting()) == ("waiting", [])
        sadad_clock(86401)
        inbox.process(WebhookEvent.objects.get().pk)
        assert waiting() == ["event_without_row"]
    assert renewed.said == []
    world.run()

    assert renewed.said == [(1, world.bills()[0])]


def test_webhook_of_a_subscription_that_is_gone_waits(world: World) -> None:
    row = world.subscription()
    world.sadad.control.pay(world.bills()[0])
    Subscription.objects.filter(pk=row.pk).update(sadad_id=None, state="pending")
    assert world.sadad.deliver() == [503]


def test_panel_invoice_with_the_reference_of_a_foreign_subscription_is_foreign(world: World) -> None:
    Subscription.objects.create(
        account="default", environment="sandbox", sadad_id="77", ref_number="S-9", state="synced"
    )
    made = world.sadad.control.create("5.000", ref_Number="S-9")
    world.sadad.control.pay(made["id"])
    assert world.sadad.deliver() == [200]

    assert WebhookEvent.objects.get().state == "foreign"


def test_unpaid_bill_is_never_deleted_at_sadad_and_ends_here_once_nobody_watches_it(world: World) -> None:
    row = world.subscription(duration_period="Weekly", duration_no=1)
    world.run()
    for _ in range(20):
        world.days(1)
        world.run()

    invoice = world.invoice(row)
    assert (invoice.state, invoice.next_check_at) == ("expired", None)
    assert world.sadad.calls("Invoice/delete") == []


def test_shop_object_that_is_saved_again_leaves_a_pause_as_it_is(world: World) -> None:
    level = Level.objects.create(name="Gold", fee=Decimal("3.000"))
    member = Membership.objects.create(level=level)
    push.run()
    row = mirroring.row_of(member)
    assert isinstance(row, Subscription)
    subscriptions.pause(row)
    member.save()
    push.run()
    subscriptions.refresh(fresh(row))

    assert fresh(row).status == "Suspended"


def test_subscription_of_a_shops_own_objects_is_made_on_their_account(world: World) -> None:
    level = Level.objects.create(name="Gold", fee=Decimal("3.000"))
    client = Client.objects.create(number="K-1", name="Noor", phone="+96550000001")
    row = subscriptions.create(level, client, reference="M-1", start=None)
    push.run()
    world.run()

    row = fresh(row)
    assert (row.state, row.template.name_en, row.customer.name) == ("synced", "Gold", "Noor")
    assert world.invoice(row).amount == Decimal("3.000")


def test_phone_and_name_stay_out_of_what_is_shown_of_a_bill(world: World) -> None:
    row = world.subscription()
    world.run()
    invoice = world.invoice(row)

    assert "Noor" not in repr(row) + repr(invoice) + str(row.periods.get(number=1))
    assert invoice.customer["name"] == "Noor Al-Sabah"


class Killed(BaseException):
    """The process dies here."""


def _die(*_args: Any, **_more: Any) -> None:
    raise Killed


def made_in_the_panel(world: World) -> dict[str, Any]:
    template = world.sadad.control.create_object(
        "SubscriptionTemplate", nameEn="Old", amount=5, billPeriod="Weekly"
    )
    made: dict[str, Any] = world.sadad.control.create_object(
        "Subscription", templateId=template["id"], customerName="Sara", ref_Number="S-9"
    )
    return made


def test_bill_that_another_process_takes_over_first_is_the_same_row(world: World, monkeypatch: Any) -> None:
    row = world.subscription()
    snapshot = snapshots.fetch(row, world.bills()[0])
    expected = Expected(adoption.maker(row), Decimal("5.000"), row.ref_number)
    first = adoption.adopt(row, snapshot, expected, bills.ORIGIN)
    answers = iter([None, first])
    monkeypatch.setattr(adoption, "find", lambda *_: next(answers))

    assert adoption.adopt(row, snapshot, expected, bills.ORIGIN) == first


def test_row_that_the_database_refuses_for_another_reason_is_no_race(world: World, monkeypatch: Any) -> None:
    row = world.subscription()
    snapshot = snapshots.fetch(row, world.bills()[0])
    monkeypatch.setattr(adoption, "_create", _refused)
    with pytest.raises(IntegrityError):
        adoption.adopt(row, snapshot, Expected(adoption.maker(row)), bills.ORIGIN)


def _refused(*_: Any) -> Invoice:
    raise IntegrityError


def test_case_about_one_period_stays_when_another_agrees(world: World) -> None:
    row = world.subscription()
    with world.says(SCHEDULE, "1.invoiceId", 7):
        world.run()
    assert waiting() == ["bill_differs"]
    world.days(7.1)
    with world.says(SCHEDULE, "0.invoiceId", int(world.bills()[0])):
        world.run()

    assert (row.periods.exclude(invoice=None).count(), waiting()) == (2, [])


def test_case_stays_open_while_its_own_period_differs(world: World) -> None:
    row = world.subscription()
    with world.says(SCHEDULE, "0.invoiceId", 7):
        world.run()
        world.days(7.1)
        world.run()

    assert (row.periods.exclude(invoice=None).count(), waiting()) == (1, ["bill_differs"])


def test_webhook_whose_bill_differs_waits_and_a_person_is_asked(world: World) -> None:
    row = world.subscription()
    Subscription.objects.filter(pk=row.pk).update(template=None)
    world.sadad.control.pay(world.bills()[0])
    with world.says(SCHEDULE, "0.amount", None):
        assert world.sadad.deliver() == [503]

    assert waiting() == ["bill_differs"]


def test_what_was_told_meanwhile_is_not_told_again(world: World, monkeypatch: Any) -> None:
    """Two workers have read that it is to be told; the lock lets one of them do so."""
    row = world.subscription()
    world.run()
    world.sadad.control.pay(world.bills()[0])
    world.sadad.deliver()
    period = row.periods.get(number=1)
    with (
        hearing(signals.subscription_renewed, lambda **_: ("renewed",)) as renewed,
        hearing(signals.subscription_missed, lambda **_: ("missed",)) as missed,
        hearing(signals.subscription_ended, lambda **_: ("ended",)) as ended,
    ):
        assert transactions.run(partial(telling._renewed, row.pk, period.pk))
        assert telling.missed(row.pk, [period.pk])
        assert telling.ended(row.pk)
        assert telling.ended(row.pk)

    assert (renewed.said, missed.said, ended.said) == ([], [], [("ended",)])


def test_receiver_that_meets_a_lock_is_called_again_at_once(world: World, renewed: Heard) -> None:
    row = world.subscription()
    locks = [OperationalError("database is locked")] * 2

    def meets_a_lock(**_: Any) -> None:
        if locks:
            raise locks.pop()

    world.sadad.control.pay(world.bills()[0])
    signals.subscription_renewed.connect(meets_a_lock)
    try:
        world.run()
    finally:
        signals.subscription_renewed.disconnect(meets_a_lock)

    assert (row.periods.get(number=1).told, waiting()) == ("renewed", [])


def test_webhook_is_done_though_the_database_stays_locked_for_telling(
    world: World, renewed: Heard, monkeypatch: Any
) -> None:
    row = world.subscription()
    world.run()
    world.sadad.control.pay(world.bills()[0])
    with monkeypatch.context() as busy:
        busy.setattr(telling, "paid", _busy)
        assert world.sadad.deliver() == [200]
    assert (renewed.said, fresh(row).next_check_at <= clock.now()) == ([], True)
    world.run()

    assert renewed.said == [(1, world.bills()[0])]


def _busy(*_: Any) -> bool:
    raise TryAgain("database_busy")
