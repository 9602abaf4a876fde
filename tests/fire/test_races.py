"""Real threads, processes and connections against each other, many rounds.

``SADADPAY_RACE_ROUNDS=100`` and ``SADADPAY_RACE_EVENTS=1000`` are the long form; how often a transaction met
a lock and was run again is shown.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from django_sadadpay.models import GatewayToken
from django_sadadpay.testing.gateway import Sadad
from tests.fire import contests
from tests.fire.books import Books
from tests.fire.contests import CONTESTS, Contest
from tests.fire.figures import keep
from tests.fire.lab import seconds
from tests.fire.nursery import Nursery
from tests.fire.racing import reruns

pytestmark = [pytest.mark.fire, pytest.mark.races, pytest.mark.django_db(transaction=True)]
ROUNDS = int(os.environ.get("SADADPAY_RACE_ROUNDS", "3"))
EVENTS = int(os.environ.get("SADADPAY_RACE_EVENTS", "200"))
PROCESSES = 16


@pytest.fixture
def show(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Iterator[dict[str, int]]:
    """Say how long it took, and how many transactions were run again. A test may say what else it did."""
    began, said = seconds(), {"rounds": ROUNDS}
    yield said
    took, again = seconds() - began, reruns()
    with capsys.disabled():
        print(f"\n{connection.vendor} {request.node.name}: {again} reruns, {took:.1f} s")
    keep("races", {"name": request.node.name, **said, "reruns": again, "seconds": round(took, 1)})


@pytest.mark.usefixtures("show")
@pytest.mark.parametrize("contest", CONTESTS, ids=lambda contest: contest.__name__)
def test_round_after_round(contest: Contest, sadad: Sadad, admin_user: Any) -> None:
    for _ in range(ROUNDS):
        contest(sadad, admin_user)
    Books(sadad.emulator.world).check(sadad.control.log)


def test_fifty_partial_refunds_at_once(sadad: Sadad, admin_user: Any, show: dict[str, int]) -> None:
    show["rounds"] = max(1, ROUNDS // 5)
    for _ in range(show["rounds"]):
        contests.fifty_partial_refunds_race(sadad, admin_user)
    Books(sadad.emulator.world).check(sadad.control.log)


def test_webhook_events_with_duplicates_are_each_handled_once(sadad: Sadad, show: dict[str, int]) -> None:
    show |= {"rounds": 1, "events": EVENTS}
    contests.events_arrive(sadad, EVENTS)
    Books(sadad.emulator.world).check(sadad.control.log)


@pytest.mark.usefixtures("show")
def test_a_token_is_renewed_by_one_of_many_processes(sadad: Sadad, processes: Nursery) -> None:
    order = {"job": "renews", "pk": 0, "point": "", "shift": 0, "sadadpay": django_settings.SADADPAY}
    for done in range(1, ROUNDS + 1):
        GatewayToken.objects.all().delete()
        assert processes.run(*[order] * PROCESSES) == [0] * PROCESSES
        assert len(sadad.calls("User/GenerateAccessToken")) == done
