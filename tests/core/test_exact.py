from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_sadadpay.models import Invoice, InvoiceEvent
from django_sadadpay.models.base import exact
from django_sadadpay.models.invoice import as_fact, replay
from django_sadadpay.models.refund import Refund

parts = st.lists(st.text(), min_size=1, max_size=4).map(tuple)


@given(parts, parts)
def test_different_parts_never_share_a_slot(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert (exact(*one) == exact(*other)) == (one == other)


@given(parts)
def test_a_slot_fits_and_reads_the_same_in_every_collation(some: tuple[str, ...]) -> None:
    slot = exact(*some)
    assert len(slot) <= 255
    assert re.fullmatch(r"[a-z0-9._:%-]*", slot)
    assert slot == slot.casefold().strip() == unicodedata.normalize("NFKC", slot)


@given(st.text(min_size=250, max_size=400), st.text(min_size=1, max_size=5))
def test_what_is_too_long_still_differs(long: str, more: str) -> None:
    assert exact(long) != exact(long + more)
    assert len(exact(long)) <= 255


def test_ordinary_names_stay_readable() -> None:
    assert exact("order", "42", "") == "order:42:"
    assert exact("order", "A1", "x") == "order:%41.1:x"
    assert exact("a:b") != exact("a", "b")
    assert exact("o" * 300) == exact("o" * 300)
    assert exact("o" * 300).startswith("sha256-")


# The ledger's facts


@pytest.mark.parametrize(
    ("value", "fact"),
    [
        (None, None),
        ("Paid", "Paid"),
        (Invoice.State.PAID, "paid"),
        (Refund.State.DONE, "done"),
        (Decimal("1.5"), "1.500"),
        (Decimal("999999999999.999"), "999999999999.999"),
        (0, "0.000"),
        (datetime(2026, 4, 1, 9, tzinfo=UTC), "2026-04-01T09:00:00.000000+00:00"),
    ],
)
def test_a_fact_is_written_as_json_that_says_the_same_on_every_database(value: Any, fact: str | None) -> None:
    written = as_fact(value)
    assert written == fact
    assert type(written) in (str, type(None))


@given(st.integers(0, 999_999_999_999_999))
def test_no_fils_is_lost_in_the_ledger(fils: int) -> None:
    amount = Decimal(fils).scaleb(-3)
    assert Decimal(as_fact(amount)) == amount


@given(st.datetimes(timezones=st.just(UTC)))
def test_no_microsecond_is_lost_in_the_ledger(moment: datetime) -> None:
    assert datetime.fromisoformat(as_fact(moment)) == moment


def test_replaying_the_ledger_gives_the_last_value_of_each_fact() -> None:
    rows = [
        InvoiceEvent(changes={"state": [None, "new"], "sadad_id": [None, None]}),
        InvoiceEvent(changes={}),
        InvoiceEvent(changes={"state": ["new", "open"], "sadad_id": [None, "7"]}),
        InvoiceEvent(changes={"state": ["open", "paid"], "paid_amount": ["0.000", "1.000"]}),
    ]
    assert replay(rows) == {"state": "paid", "sadad_id": "7", "paid_amount": "1.000"}
    assert replay([]) == {}
