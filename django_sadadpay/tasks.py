"""Celery tasks. Each only wakes the work up: the rows are the queue, so any task may be lost or run twice.

``app.conf.beat_schedule = {**beat_schedule(), ...}`` in the shop's Celery module runs them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from celery import shared_task

from django_sadadpay.services import inbox, maintenance, reconcile

#: Seconds that a webhook's answer may wait for a broker that is down.
_BROKER_PATIENCE = 1.0


@shared_task(name="sadadpay.process_event", ignore_result=True)
def process_event(pk: int) -> None:
    """Look at the invoice that a stored webhook call names."""
    inbox.process(pk)


@shared_task(name="sadadpay.process_inbox", ignore_result=True)
def process_inbox() -> int:
    """Handle every stored webhook call that is due."""
    return maintenance.process_inbox().handled


@shared_task(name="sadadpay.reconcile", ignore_result=True)
def run_reconcile() -> dict[str, Any]:
    """Everything that is due, within the budget of a run."""
    report = reconcile.run()
    return {"done": report.done, "failed": report.failed, "calls": report.calls, "left": report.left}


@shared_task(name="sadadpay.refresh_tokens", ignore_result=True)
def refresh_tokens() -> dict[str, bool]:
    """Renew tokens before they run out, so that no checkout has to wait for it."""
    return maintenance.refresh_tokens()


def send_event(pk: int) -> None:
    """Hand a stored webhook call to a worker; one try, at most a second."""
    process_event.apply_async((pk,), retry=False, expires=3600, **_impatient(process_event.app))


def _impatient(app: Any) -> dict[str, Any]:
    """A connection of its own with short time-outs: the default one waits for the broker far longer than Sadad waits for us."""
    options = {**app.conf.broker_transport_options, **_TIMEOUTS}
    connection = app.connection_for_write(connect_timeout=_BROKER_PATIENCE, transport_options=options)
    return {"connection": connection}


_TIMEOUTS = {"socket_timeout": _BROKER_PATIENCE, "socket_connect_timeout": _BROKER_PATIENCE, "max_retries": 0}


def beat_schedule() -> dict[str, dict[str, Any]]:
    """Entries for Celery beat: reconcile every minute, the inbox twice a minute, tokens every ten minutes."""
    return {
        "sadadpay-reconcile": {"task": "sadadpay.reconcile", "schedule": timedelta(minutes=1)},
        "sadadpay-inbox": {"task": "sadadpay.process_inbox", "schedule": timedelta(seconds=30)},
        "sadadpay-tokens": {"task": "sadadpay.refresh_tokens", "schedule": timedelta(minutes=10)},
    }
