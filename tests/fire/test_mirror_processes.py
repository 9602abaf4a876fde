"""The sentence that mirrors are done by: a shop with its own models stays in step through creates, edits,
deletes, rollbacks, a gateway that loses answers, two workers and a kill in the middle. Real processes, on any
database.

``SADADPAY_RACE_ROUNDS=100`` is the long form.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from django_sadadpay.models import Attention
from django_sadadpay.services import cases, clock, pull, push
from django_sadadpay.services.kinds import BY_NAME, KINDS
from django_sadadpay.services.points import POINTS
from django_sadadpay.testing.gateway import Sadad
from tests.fire.keeping_shop import trade
from tests.fire.lab import seconds
from tests.fire.nursery import Nursery
from tests.mirrors.sides import differences

pytestmark = [pytest.mark.fire, pytest.mark.races, pytest.mark.django_db(transaction=True)]
ROUNDS = int(os.environ.get("SADADPAY_RACE_ROUNDS", "6"))
PUSHING = [label for label in POINTS if label.startswith("push.")]
FOLDERS = ("ProductCategory", "Product", "Customer", "ProductLink", "SubscriptionTemplate", "Subscription")
#: Longer than a dead process's claim, and than a lost answer is waited for.
_PAST_LEASE = 185
_PAST_ALL = 2 * 86_400


class Works:
    """The shop's machines, and Sadad's."""

    def __init__(self, sadad: Sadad, processes: Nursery, staff: Any) -> None:
        self.sadad, self.processes, self.staff = sadad, processes, staff
        self.shift = 0.0
        self.kills = 0

    def advance(self, seconds: float) -> None:
        self.shift += seconds
        clock.shift(seconds)
        self.sadad.control.advance(seconds)

    def at_once(self, *jobs: tuple[str, int, str, int]) -> list[int]:
        """(job, what it is told, point at which it dies, after how many times) each in its own process."""
        names = ("job", "pk", "point", "skip")
        shared = {"shift": self.shift, "sadadpay": django_settings.SADADPAY}
        return self.processes.run(*[{**dict(zip(names, job, strict=True)), **shared} for job in jobs])

    def loses_answers(self) -> None:
        for folder in FOLDERS:
            for verb in ("insert", "update", "delete"):
                self.sadad.control.faults.add(f"{folder}/{verb}", "cut_after", probability=0.12)
                self.sadad.control.faults.add(f"{folder}/{verb}", "error_before", probability=0.06)

    def one_round(self, number: int) -> None:
        """The shop trades while two workers push and one of them is killed."""
        self.loses_answers()
        point = PUSHING[number % len(PUSHING)]
        codes = self.at_once(
            ("sells", 2 * number, "", 0), ("pushes", 0, point, number % 7), ("pushes", 0, "", 0)
        )
        assert codes[0] == 0, "an error reached the shop"
        assert codes[1] in (-signal.SIGKILL, 0)
        assert codes[2] == 0, "an error reached the other worker"
        self.kills += codes[1] == -signal.SIGKILL
        self.sadad.control.faults.clear()
        if number % 2:
            assert self.at_once(("pulls", 0, "", 0), ("pushes", 0, "", 0)) == [0, 0]
        self.advance(_PAST_LEASE)

    def comes_to_rest(self) -> None:
        """Faults have stopped; a person tells what nobody else can."""
        for _ in range(10):
            self.advance(_PAST_ALL)
            assert self.at_once(("pushes", 0, "", 0), ("pushes", 0, "", 0)) == [0, 0]
            if not self._a_person_looks() and not differences(self.sadad.emulator):
                break

    def _a_person_looks(self) -> int:
        """Into the panel: one of those that nobody has, or there is none."""
        waiting = list(Attention.objects.filter(resolved_at=None).order_by("pk"))
        for case in waiting:
            row = case.mirror
            assert row is not None, case
            if case.code == "mirror_refused":  # such as a customer whose subscription was lost, and is there
                cases.act(case, "retry", by=self.staff)
                continue
            assert case.code == "mirror_unknown", (case, case.params)
            held = set(type(row)._base_manager.exclude(sadad_id=None).values_list("sadad_id", flat=True))
            there = [str(one["id"]) for one in self.sadad.control.objects(BY_NAME[row.kind].folder)]
            free = [sadad_id for sadad_id in there if sadad_id not in held]
            cases.act(case, "adopt" if free else "send_again", by=self.staff, note=free[0] if free else "")
        return len(waiting)

    def inserted(self) -> Counter[str]:
        """Inserts that acted, by kind."""
        done = (call.endpoint for call in self.sadad.control.log if call.done)
        return Counter(name.removesuffix("/insert") for name in done if name.endswith("/insert"))


def test_a_shop_stays_in_step_through_everything(
    sadad: Sadad, processes: Nursery, admin_user: Any, sadad_clock: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    began, works = seconds(), Works(sadad, processes, admin_user)
    trade(1, acts=20)
    for number in range(ROUNDS):
        works.one_round(number)
    works.comes_to_rest()
    assert differences(sadad.emulator) == []
    pull.run()
    push.run()
    assert differences(sadad.emulator) == []
    inserted = works.inserted()
    for kind in KINDS:  # no object was deleted and made anew here: a row is one wish
        assert inserted[kind.folder] <= kind.model._base_manager.count(), kind.folder
    assert works.kills >= ROUNDS // 2
    objects = sum(len(sadad.control.objects(folder)) for folder in FOLDERS)
    lost = sum(bool({"cut_after", "error_before"} & set(call.faults)) for call in sadad.control.log)
    with capsys.disabled():
        print(
            f"\n{connection.vendor}: {ROUNDS} rounds, {works.kills} kills, {lost} answers lost, "
            f"{inserted.total()} inserts, {objects} objects in step, {seconds() - began:.0f} s"
        )
