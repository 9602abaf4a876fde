"""The soak's faults, memory and shortened time are what its report says they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.soak import faults, load, memory, report
from benchmarks.soak.memory import Life
from django_sadadpay.emulator import Emulator
from django_sadadpay.emulator.faults import KINDS

ROOT = Path(__file__).parents[2]


def test_every_kind_of_fault_strikes_with_the_same_probability() -> None:
    shares: Counter[str] = Counter()
    for place, kind, options in faults.wanted(0.05):
        shares[f"{place if kind == 'reply_field' else ''}{kind}"] += options["probability"]
    assert {name.rpartition("/")[2] for name in shares if "reply_field" not in name} == set(KINDS) - {
        "reply_field"
    }
    assert any("reply_field" in name for name in shares)
    assert all(share == pytest.approx(0.05) for share in shares.values())


def test_the_emulator_knows_every_fault() -> None:
    emulator = Emulator(deliver="manual")
    for place, kind, options in faults.wanted(0.05):
        emulator.control.faults.add(place, kind, **options)


def grown(*sizes: tuple[int, int], judged: bool = True) -> Life:
    """A process with ten samples of each size: (payments, KB)."""
    samples = [(payments, kb) for payments, kb in sizes for _ in range(10)]
    return Life("shop worker", 1, judged, samples)


def test_memory_is_compared_with_that_after_the_first_tenth() -> None:
    life = grown((0, 50_000), (100, 100_000), (500, 104_000), (1000, 108_000))
    assert life.figures(1000) == (100_000, 108_000)


def test_a_process_that_began_later_is_compared_with_its_own_first_tenth() -> None:
    life = grown((600, 50_000), (700, 90_000), (1000, 99_000))
    assert life.figures(1000) == (90_000, 99_000)


def test_of_a_process_that_lived_too_short_nothing_is_said() -> None:
    assert grown((900, 50_000), (1000, 90_000)).figures(1000) is None


def row(ratio: float, *, judged: bool = True) -> dict[str, Any]:
    return {"process": "x", "ratio": ratio, "judged": judged}


def test_memory_holds_up_to_a_tenth_more_for_all_that_is_judged() -> None:
    assert memory.holds([row(1.1), row(0.9), row(3.0, judged=False)])
    assert not memory.holds([row(1.0), row(1.101)])


def test_memory_of_a_short_run_says_nothing() -> None:
    assert report.verdict([], [row(2.0)], memory.LEAST - 1)["memory_holds"] is None
    assert report.verdict([], [row(2.0)], memory.LEAST)["memory_holds"] is False
    assert report.verdict([], [row(1.0)], memory.LEAST)["memory_holds"] is True


@pytest.mark.parametrize("kind", ["wrong", "lost", "doubled", "stuck"])
def test_one_finding_makes_the_run_fail(kind: str) -> None:
    clean = {"wrong": 0, "lost": 0, "doubled": 0, "stuck": 0}
    assert report.is_good({"result": clean, "memory_holds": None})
    assert not report.is_good({"result": {**clean, kind: 1}, "memory_holds": True})


def test_a_run_whose_memory_grows_fails() -> None:
    assert not report.is_good({"result": {"wrong": 0}, "memory_holds": False})


def test_this_process_has_a_size() -> None:
    assert (memory.resident(os.getpid()) or 0) > 1_000
    assert memory.resident(2**22 + 1) is None  # no Linux has such a number


def test_refunds_come_to_staff_in_their_turn() -> None:
    desk = load.Desk()
    jobs = [load.RefundJob(due, "S-1", "7", None, "key") for due in (2.0, 1.0, 1e12)]
    for job in jobs:
        desk.put(job)
    assert [desk.take(), desk.take(), desk.take()] == [jobs[1], jobs[0], None]
    assert not desk.is_empty


SHORTENED = """
import json
import django
django.setup()
from django_sadadpay.gateway import client, tokens
from django_sadadpay.services import gateway, reconcile, schedule, refunds
from benchmarks.soak import hurry
before = [tokens.LEASE_SECONDS, tokens.RENEWAL_SECONDS, schedule.BUSY.total_seconds(), refunds._SEND_WITHIN]
made = client.SadadClient("k", "s").transport.deadline
hurry.apply()
after = [tokens.LEASE_SECONDS, tokens.RENEWAL_SECONDS, schedule.BUSY.total_seconds(), refunds._SEND_WITHIN]
then = client.SadadClient("k", "s").transport.deadline
print(json.dumps([[a / b for a, b in zip(before, after)], made / then, then, after,
                  [kind.again and kind.again.total_seconds() for kind in reconcile._KINDS]]))
"""


def test_pauses_and_deadlines_are_divided_and_keep_their_order() -> None:
    """In a process of its own: it changes the modules for good."""
    env = {"DJANGO_SETTINGS_MODULE": "tests.settings.memory", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", SHORTENED], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    ratios, deadline_ratio, deadline, after, again = json.loads(done.stdout)
    assert deadline_ratio == 10
    assert all(10 <= ratio <= 12 for ratio in ratios)
    lease, renewal, busy, send_within = after
    assert deadline <= renewal <= lease < busy
    assert send_within < busy
    assert set(again) == {None, 30.0}
