"""Processes that are made to die: Django is loaded once, each job runs in a fork of its own.

``python -m tests.fire.nursery DATABASE`` reads one job a line (JSON) and answers with how its process ended.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django


def checks_out(pk: int) -> None:
    from django_sadadpay import checkout
    from tests.shop.models import Order

    checkout(Order.objects.get(pk=pk))


def webhook(pk: int) -> None:
    from django.test import RequestFactory

    from django_sadadpay import conf, views
    from django_sadadpay.models import Invoice

    secret = conf.current().accounts["default"].webhook_secrets[0]
    body = {"invoiceId": int(Invoice.objects.get(pk=pk).sadad_id or 0)}
    request = RequestFactory().post("/", data=body, content_type="application/json")
    view: Callable[..., Any] = views.WebhookView.as_view()
    view(request, account="default", secret=secret)


def verifies(pk: int) -> None:
    from django_sadadpay import verify
    from django_sadadpay.models import Invoice

    verify(Invoice.objects.get(pk=pk))


def refunds(pk: int) -> None:
    from django_sadadpay import refund
    from django_sadadpay.models import Invoice

    refund(Invoice.objects.get(pk=pk), "1.111", reason="crash", key="form")


def reconciles(_pk: int) -> None:
    from django_sadadpay.services import reconcile

    reconcile.run()


def renews(_pk: int) -> None:
    from django_sadadpay import conf
    from django_sadadpay.services import gateway

    gateway.client_for(conf.current().account("default")).warm()


def pushes(_pk: int) -> None:
    from django_sadadpay.services import push

    push.run()


def pulls(_pk: int) -> None:
    from django_sadadpay.services import pull

    pull.run()


def sells(seed: int) -> None:
    from tests.fire.keeping_shop import trade

    trade(seed)


_ALL = (checks_out, webhook, verifies, refunds, reconciles, renews, pushes, pulls, sells)
JOBS: dict[str, Callable[[int], None]] = {job.__name__: job for job in _ALL}


def _work(order: dict[str, Any]) -> None:
    """In the fork: the settings of the test, then the job, with its point armed. It dies when it comes by
    there for the first time, or after ``skip`` times.
    """
    from django.test import override_settings

    from django_sadadpay.services import clock
    from django_sadadpay.services.points import armed

    clock.shift(order["shift"])
    times = itertools.count()

    def die() -> None:
        if next(times) >= order.get("skip", 0):
            os.kill(os.getpid(), signal.SIGKILL)

    if order["point"]:
        armed[order["point"]] = die
    with override_settings(SADADPAY=order["sadadpay"]):
        JOBS[order["job"]](order["pk"])


def _fork(orders: list[dict[str, Any]]) -> list[int]:
    """Exit codes, negative for a signal, of the jobs, which run at the same time."""
    children = []
    for order in orders:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                _work(order)
                code = 0
            except BaseException:  # noqa: BLE001 - a fork must not go on with its parent's code
                traceback.print_exc()
            finally:
                os._exit(code)
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def main(database: str) -> None:
    django.setup()
    from django.db import connections

    from django_sadadpay import views  # noqa: F401 - loaded before the forks

    connections["default"].settings_dict["NAME"] = database
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(_fork(json.loads(line))), flush=True)


class Nursery:
    """The parent's end."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, *orders: dict[str, Any]) -> list[int]:
        """Run the jobs at the same time; their exit codes, -9 for who was killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(orders), file=self._process.stdin, flush=True)
        codes: list[int] = json.loads(self._process.stdout.readline())
        return codes


@contextmanager
def nursery(database: str) -> Iterator[Nursery]:
    """A nursery for the test database of this name."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fire.nursery", database],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        assert process.stdout.readline().strip() == "ready"
        yield Nursery(process)
    finally:
        process.stdin.close()
        process.wait(timeout=30)


if __name__ == "__main__":
    main(sys.argv[1])
