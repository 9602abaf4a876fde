"""What a pull makes of a row that Sadad's list shows otherwise than before: a pure question."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from django_sadadpay.models import Customer, Mirror
from django_sadadpay.services.lists import Known
from django_sadadpay.services.pulling import verdict

ASKED = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEFORE, AFTER = ASKED - timedelta(seconds=1), ASKED + timedelta(seconds=1)
OURS, PUSHED, LISTED = "a" * 64, "b" * 64, "c" * 40


def row(**values: Any) -> Mirror:
    """In step, and held against a list since it was pushed."""
    base = LISTED + PUSHED[:24]
    there = {"digest": PUSHED, "pushed_digest": PUSHED, "reply_digest": base, "synced_at": BEFORE}
    return Customer(**{**there, **values})


def said(of: Mirror, *, differs: bool = True, asks: bool = False) -> str:
    return verdict(of, Known(began=ASKED), differs=differs, asks=asks)


def test_what_is_as_we_want_it_is_the_same() -> None:
    assert said(row(), differs=False) == "same"
    assert said(row(digest=OURS), differs=False) == "same"


def test_what_only_sadad_changed_is_taken() -> None:
    assert said(row()) == "changed"
    assert said(row(synced_at=None)) == "changed"


@pytest.mark.parametrize(("asks", "what"), [(False, "conflict"), (True, "asked")])
def test_what_both_changed_is_taken_or_asked_about(asks: bool, what: str) -> None:
    assert said(row(digest=OURS), asks=asks) == what


def test_an_edit_that_was_never_held_against_a_list_is_sent_first() -> None:
    assert said(row(digest=OURS, reply_digest="")) == "waiting"
    assert said(row(digest=OURS, reply_digest=LISTED + OURS[:24])) == "waiting"


@pytest.mark.parametrize(
    "busy",
    [
        {"sending": "update", "sent_at": BEFORE},
        {"wanted": "absent"},
        {"held": "bad"},
        {"synced_at": ASKED},
        {"synced_at": AFTER},
    ],
    ids=repr,
)
@pytest.mark.parametrize("differs", [True, False])
def test_what_somebody_is_at_is_left_alone(busy: dict[str, Any], differs: bool) -> None:
    assert said(row(**busy), differs=differs) == "waiting"


def test_a_person_s_decision_is_held_against_no_time() -> None:
    assert verdict(row(synced_at=AFTER), Known(), differs=True, asks=False) == "changed"
