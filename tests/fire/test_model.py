"""Nothing lost, nothing twice: a state machine looks for an order of events that breaks an invariant.

10,000 steps at least, always the same ones. ``SADADPAY_FIRE=longer`` (or a number of runs) looks further,
with new luck each time.
"""

from __future__ import annotations

import gc
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test

from tests.fire.figures import keep
from tests.fire.lab import Lab, laboratory, seconds
from tests.fire.machine import Fire

pytestmark = [pytest.mark.fire, pytest.mark.django_db(transaction=True)]
LONGER = {"": 0, "longer": 5000}
RUNS, STEPS = 152, 75


def _profile() -> hypothesis_settings:
    asked = os.environ.get("SADADPAY_FIRE", "")
    runs = LONGER[asked] if asked in LONGER else int(asked)
    return hypothesis_settings(
        max_examples=runs or RUNS,
        stateful_step_count=int(os.environ.get("SADADPAY_FIRE_STEPS", STEPS)),
        derandomize=runs == 0,
        database=None,
        deadline=None,
        print_blob=runs != 0,
        report_multiple_bugs=False,
        phases=[Phase.generate] if runs == 0 and "CI" in os.environ else [Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


def test_nothing_is_lost_and_nothing_happens_twice(
    monkeypatch: pytest.MonkeyPatch, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    began = seconds()
    gc.freeze()  # what Django has loaded is not looked through again and again
    with laboratory(monkeypatch, settings, Lab) as lab:
        Fire.prepare(lab)
        run_state_machine_as_test(Fire, settings=_profile())
    gc.unfreeze()
    took, tally = seconds() - began, Fire.tally
    with capsys.disabled():
        print(
            f"\n{tally['steps']} steps in {tally['runs']} runs, {took:.0f} s, {tally['steps'] / took:.0f}/s"
        )
        print(", ".join(f"{what} {times}" for what, times in sorted(tally.items())))
    keep("model", {"name": "shop", "seconds": round(took), **tally})
    assert tally["steps"] >= 10_000
