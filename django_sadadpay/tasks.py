"""Celery tasks. Each only wakes the work up: the rows are the queue, so any task may be lost or run twice.

Found by ``app.autodiscover_tasks()``; ``app.conf.beat_schedule = {**beat_schedule(), ...}`` runs them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

# Models and services are imported by each task: a shop's celery.py imports beat_schedule before Django's
# apps are loaded.

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)

if TYPE_CHECKING:  # Celery ships no types: these are the parts of it that are used here

    class Task(Protocol[P, R_co]):
        name: str
        app: Any

        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...

        def apply_async(self, args: tuple[Any, ...] = (), **options: Any) -> Any: ...

    def shared_task(*, name: str, ignore_result: bool) -> Callable[[Callable[P, R_co]], Task[P, R_co]]: ...

else:
    from celery import shared_task

#: Seconds that a webhook's answer may wait for a broker that is down or does not answer.
BROKER_PATIENCE = 1.0
#: Each transport takes those that it knows: the first three are Redis's, the others AMQP's.
_TIMEOUTS: dict[str, Any] = {
    "socket_timeout": BROKER_PATIENCE,
    "socket_connect_timeout": BROKER_PATIENCE,
    "retry_on_timeout": False,
    "read_timeout": BROKER_PATIENCE,
    "write_timeout": BROKER_PATIENCE,
    "max_retries": 0,
}
#: A woken worker that comes later finds nothing to do: the inbox task has been there. A pull comes again.
_EXPIRES = 3600
#: A task that pushes ends after this; what is left waits for the next one.
PUSH_SECONDS = 300


@shared_task(name="sadadpay.process_event", ignore_result=True)
def process_event(pk: int) -> None:
    """Look at the invoice that a stored webhook call names."""
    from django_sadadpay.models import WebhookEvent
    from django_sadadpay.services import inbox

    try:
        inbox.process(pk)
    except WebhookEvent.DoesNotExist:
        pass  # purged before this task was reached


@shared_task(name="sadadpay.process_inbox", ignore_result=True)
def process_inbox() -> int:
    """Handle every stored webhook call that is due."""
    from django_sadadpay.services import maintenance

    return maintenance.process_inbox().handled


@shared_task(name="sadadpay.reconcile", ignore_result=True)
def run_reconcile() -> dict[str, Any]:
    """Everything that is due, within the budget of a run."""
    from django_sadadpay.services import reconcile

    report = reconcile.run()
    return {"done": report.done, "failed": report.failed, "calls": report.calls, "left": report.left}


@shared_task(name="sadadpay.refresh_tokens", ignore_result=True)
def refresh_tokens() -> dict[str, bool]:
    """Renew tokens before they run out, so that no checkout has to wait for it."""
    from django_sadadpay.services import maintenance

    return maintenance.refresh_tokens()


@shared_task(name="sadadpay.push", ignore_result=True)
def run_push() -> dict[str, Any]:
    """Send the mirrored objects that are due."""
    from django_sadadpay.services import push

    report = push.run(max_seconds=PUSH_SECONDS)
    return {"done": report.done, "failed": report.failed, "calls": report.calls, "left": report.left}


@shared_task(name="sadadpay.pull", ignore_result=True)
def run_pull(account: str | None = None, resources: list[str] | None = None) -> dict[str, Any]:
    """Take over what exists at Sadad."""
    from django_sadadpay.services import pull

    report = pull.run(account=account, resources=resources)
    return {f"{one.account} {one.resource}": one.counts for one in report.lists}


def send_event(pk: int) -> None:
    """Hand a stored webhook call to a worker; one try, about a second at most.

    :raises Exception: whatever the broker's client raises.
    """
    _send(process_event, (pk,))


def send_push() -> None:
    """Wake a worker that pushes what is due; one try, about a second at most.

    :raises Exception: whatever the broker's client raises.
    """
    _send(run_push, ())


def _send(task: Any, args: tuple[Any, ...]) -> None:
    # A connection of its own: the pooled one would wait for the broker far longer than Sadad waits for us.
    options = {**task.app.conf.broker_transport_options, **_TIMEOUTS}
    with task.app.connection_for_write(
        connect_timeout=BROKER_PATIENCE, transport_options=options
    ) as connection:
        task.apply_async(args, connection=connection, retry=False, expires=_EXPIRES)


def beat_schedule(*, pull: Any = None) -> dict[str, dict[str, Any]]:
    """Entries for Celery beat: reconcile and push every minute, the inbox twice a minute, tokens every
    ten minutes.

    None of them piles up when workers are down: each expires when the next one comes, a pull after an hour.

    :param pull: when to take over what was made in Sadad's panel: Celery's ``crontab`` or a ``timedelta``.
        Default: never by itself. Better a ``crontab``: beat counts a long ``timedelta`` anew where it is
        started without the file of its last run.
    """
    entries = {
        "sadadpay-reconcile": _entry(run_reconcile, timedelta(minutes=1)),
        "sadadpay-inbox": _entry(process_inbox, timedelta(seconds=30)),
        "sadadpay-push": _entry(run_push, timedelta(minutes=1)),
        "sadadpay-tokens": _entry(refresh_tokens, timedelta(minutes=10)),
    }
    if pull is not None:
        entries["sadadpay-pull"] = {"task": run_pull.name, "schedule": pull, "options": {"expires": _EXPIRES}}
    return entries


def _entry(task: Any, every: timedelta) -> dict[str, Any]:
    return {"task": task.name, "schedule": every, "options": {"expires": every.total_seconds()}}
