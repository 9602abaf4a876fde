"""Celery only wakes the work up: any task may be lost or doubled, and no broker keeps a webhook waiting."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery.contrib.testing.worker import start_worker
from celery.schedules import crontab
from django.core.management import call_command

from django_sadadpay import tasks
from django_sadadpay.models import GatewayToken, Invoice, Mark, WebhookEvent
from django_sadadpay.services import reconcile
from django_sadadpay.testing.gateway import Sadad
from tests.shop.models import Order
from tests.views.buying import call, fresh, named

db = pytest.mark.django_db(transaction=True)


@pytest.fixture
def queued(settings: Any, sadad: Sadad) -> None:
    """The webhook hands its calls to Celery."""
    settings.SADADPAY = {**settings.SADADPAY, "TASK_RUNNER": "celery"}


# Found and scheduled


def test_every_celery_app_finds_the_tasks_by_itself() -> None:
    code = (
        "import django; django.setup()\n"
        "from celery import Celery\n"
        "app = Celery('shop'); app.autodiscover_tasks(); app.loader.import_default_modules()\n"
        "print(*sorted(name for name in app.tasks if name.startswith('sadadpay.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings.memory"},
    )
    expected = (
        "sadadpay.process_event sadadpay.process_inbox sadadpay.pull sadadpay.push sadadpay.reconcile"
        " sadadpay.refresh_tokens"
    )
    assert done.stdout.strip() == expected


def test_the_schedule_names_tasks_that_exist(celery_app: Callable[..., Any]) -> None:
    app = celery_app("memory://", beat_schedule=tasks.beat_schedule())
    entries = app.conf.beat_schedule.values()
    assert {entry["task"] for entry in entries} <= set(app.tasks)
    assert all(entry["options"]["expires"] == entry["schedule"].total_seconds() for entry in entries)


def test_a_pull_is_in_the_schedule_when_the_shop_says_when(celery_app: Callable[..., Any]) -> None:
    assert "sadadpay-pull" not in tasks.beat_schedule()
    nightly = crontab(hour=3, minute=0)
    app = celery_app("memory://", beat_schedule=tasks.beat_schedule(pull=nightly))
    entry = app.conf.beat_schedule["sadadpay-pull"]
    assert (entry["task"], entry["schedule"]) == ("sadadpay.pull", nightly)
    assert entry["task"] in app.tasks


# The work


@db
def test_each_task_does_its_work(sadad: Sadad, invoice: Invoice, order: Order) -> None:
    sadad.pay(invoice)
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    assert call(named(invoice)).status_code == 503
    sadad.control.faults.clear()
    WebhookEvent.objects.update(next_try_at=WebhookEvent.objects.get().received_at)
    assert tasks.process_inbox() == 1
    assert fresh(order).paid_calls == 1
    GatewayToken.objects.all().delete()
    assert tasks.refresh_tokens() == {"default": True}
    assert GatewayToken.objects.count() == 1
    report = tasks.run_reconcile()
    assert report["failed"] == {}
    assert Mark.objects.get(name=reconcile.MARK).at is not None


@db
def test_a_doubled_task_acts_once(
    queued: None, invoice: Invoice, sadad: Sadad, order: Order, eager: Any
) -> None:
    sadad.pay(invoice)
    assert call(named(invoice)).status_code == 200
    for _ in range(3):
        tasks.process_event(WebhookEvent.objects.get().pk)
        tasks.process_inbox()
    assert fresh(order).paid_calls == 1


@db
def test_a_task_for_an_event_that_was_purged_is_no_fault() -> None:
    tasks.process_event(4711)


@pytest.fixture
def eager(celery_app: Callable[..., Any]) -> Any:
    """Tasks run where they are sent from."""
    return celery_app("memory://", task_always_eager=True)


@db
def test_a_lost_task_is_made_good_by_reconcile(
    queued: None, sadad: Sadad, invoice: Invoice, order: Order, celery_app: Callable[..., Any]
) -> None:
    celery_app("memory://")  # nobody listens there
    sadad.pay(invoice)
    assert call(named(invoice)).status_code == 200
    assert fresh(order).status == "new"
    call_command("sadadpay_reconcile")
    assert (fresh(order).status, fresh(order).paid_calls) == ("paid", 1)


# The broker


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield listener.getsockname()[1]


@db
@pytest.mark.parametrize("scheme", ["redis", "amqp"])
@pytest.mark.parametrize("trouble", ["refuses", "never answers"])
def test_a_broker_in_trouble_does_not_change_the_answer(
    scheme: str,
    trouble: str,
    silent: int,
    queued: None,
    invoice: Invoice,
    celery_app: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    port = 9 if trouble == "refuses" else silent
    celery_app(f"{scheme}://127.0.0.1:{port}//", broker_connection_retry=True, task_publish_retry=True)
    began = time.monotonic()
    assert call(named(invoice)).status_code == 200
    assert time.monotonic() - began < 2.5
    event = WebhookEvent.objects.get()
    assert event.state == WebhookEvent.State.WAITING
    assert f"webhook event {event.pk} waits for reconcile: OperationalError" in caplog.text


@db
def test_a_broker_that_does_not_exist_does_not_change_the_answer(
    queued: None, invoice: Invoice, celery_app: Callable[..., Any]
) -> None:
    celery_app("nosuch://")
    assert call(named(invoice)).status_code == 200


@db
def test_no_connection_stays_open(queued: None, invoice: Invoice, celery_app: Callable[..., Any]) -> None:
    app = celery_app("memory://")
    made: list[Any] = []
    connect = app.connection_for_write

    def watched(*args: Any, **options: Any) -> Any:
        connection = connect(*args, **options)
        if options:  # Celery makes one without, which only describes the broker
            made.append(connection)
        return connection

    app.connection_for_write = watched
    assert [call(named(invoice)).status_code for _ in range(3)] == [200] * 3
    assert len(made) == 3
    assert [one.connected for one in made] == [False] * 3


# A real worker


@db
@pytest.mark.celery
@pytest.mark.redis
def test_a_real_worker_settles_what_the_webhook_hands_over(
    redis_url: str, queued: None, sadad: Sadad, invoice: Invoice, order: Order, celery_app: Callable[..., Any]
) -> None:
    app = celery_app(redis_url)
    sadad.pay(invoice)
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
        assert call(named(invoice)).status_code == 200
        until = time.monotonic() + 20
        while fresh(order).status != "paid":
            assert time.monotonic() < until, "the worker did not come to it"
            time.sleep(0.05)
    assert fresh(order).paid_calls == 1
    assert WebhookEvent.objects.get().state == WebhookEvent.State.DONE
