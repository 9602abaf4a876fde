"""Mirrors under fire: walks look for an order of events after which the sides differ, something was made
twice, or something was forgotten.

Always the same walks. ``SADADPAY_FIRE=longer`` (or a number of walks) looks further, with new luck each time.
"""

from __future__ import annotations

import gc
import os
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from tests.fire.lab import laboratory, seconds
from tests.fire.mirror_machine import MirrorFire
from tests.fire.mirror_orders import ORDERS
from tests.fire.mirror_walk import Step, plan, shorten
from tests.fire.mirror_world import MirrorLab, follow_push

pytestmark = [pytest.mark.fire, pytest.mark.django_db(transaction=True)]
LONGER = {"longer": 3000}
WALKS, STEPS = 20, 25


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[MirrorLab]:
    gc.freeze()  # what Django has loaded is not looked through again and again
    with laboratory(monkeypatch, settings, MirrorLab) as made:
        follow_push(monkeypatch, made)
        yield made
    gc.unfreeze()


def _seeds() -> Sequence[int]:
    asked = os.environ.get("SADADPAY_FIRE", "")
    if not asked:
        return range(WALKS)
    if asked.startswith("seed "):
        return [int(asked.removeprefix("seed "))]
    return [secrets.randbits(32) for _ in range(LONGER.get(asked) or int(asked))]


@pytest.fixture
def staff(transactional_db: None) -> Any:
    return get_user_model().objects.create_user("staff", is_staff=True)


@pytest.mark.parametrize("order", ORDERS)
def test_what_once_broke_it_breaks_nothing(lab: MirrorLab, staff: Any, order: str) -> None:
    MirrorFire(lab, staff, Counter()).play(ORDERS[order])


def test_shop_and_sadad_stay_in_step(lab: MirrorLab, staff: Any, capsys: pytest.CaptureFixture[str]) -> None:
    steps, began = int(os.environ.get("SADADPAY_FIRE_STEPS", STEPS)), seconds()
    tally: Counter[str] = Counter()
    for seed in _seeds():
        walk = plan(seed, steps)
        if error := _broken(MirrorFire(lab, staff, tally), walk):
            short = shorten(
                walk, lambda fewer: _same(_broken(MirrorFire(lab, staff, Counter()), fewer), error)
            )
            told = _broken(MirrorFire(lab, staff, Counter()), short) or error
            raise AssertionError(f"seed {seed}: {told}\n" + "\n".join(map(repr, short))) from told
    took = seconds() - began
    with capsys.disabled():
        print(
            f"\n{tally['steps']} steps in {tally['walks']} walks, {took:.0f} s, {tally['steps'] / took:.0f}/s"
        )
        print(", ".join(f"{what} {times}" for what, times in sorted(tally.items())))


def _broken(fire: MirrorFire, walk: Sequence[Step]) -> Exception | None:
    try:
        fire.play(walk)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is made short and shown
        return error
    return None


def _same(found: Exception | None, error: Exception) -> bool:
    """The same thing is broken, by its first words."""
    return type(found) is type(error) and str(found)[:25] == str(error)[:25]
