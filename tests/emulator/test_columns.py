"""How the columns of an object are read, kept and written, kind by kind."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from django_sadadpay.emulator import Refusal, columns
from django_sadadpay.emulator.binding import Fields
from django_sadadpay.emulator.columns import Column
from django_sadadpay.emulator.state import World

DUE = (Column("amount", "kwd", required="AmountRequired"), Column("dueDate", "date"))


def read(column: Column, value: Any, old: dict[str, Any] | None = None) -> Any:
    """What is kept of a body that has this value in this column."""
    return columns.read(World(), [column], Fields({column.name: value}), old)[column.name]


def error(column: Column, value: Any) -> tuple[str, int]:
    with pytest.raises(Refusal) as caught:
        read(column, value)
    return caught.value.error_key, caught.value.status


@pytest.mark.parametrize(
    ("column", "sent", "kept", "written"),
    [
        (Column("x"), "a", "a", "a"),
        (Column("x"), Decimal("1.5"), "1.5", "1.5"),
        (Column("x"), None, "", ""),
        (Column("x", default="b"), " ", "b", "b"),
        (Column("x", "integer"), "7", 7, 7),
        (Column("x", "integer"), None, 0, 0),
        (Column("x", "integer", default=1), None, 1, 1),
        (Column("x", "number"), "2.50", "2.50", 2.5),
        (Column("x", "number"), 0, "0", 0),
        (Column("x", "number"), None, "0", 0),
        (Column("x", "kwd"), "1.250", 1250, 1.25),
        (Column("x", "kwd"), None, 0, 0),
        (Column("x", "flag"), True, True, True),
        (Column("x", "flag"), None, False, False),
        (Column("x", "flag", default=True), None, True, True),
        (Column("x", "flag", default=True), False, False, False),
        (Column("x", "date"), "2026-04-06", 1775422800.0, "04/06/2026 00:00:00"),
        (Column("x", "date"), "", None, None),
        (Column("x", "language"), "En", "En", "En"),
        (Column("x", "language"), None, "ar", "ar"),
        (Column("x", "currency"), "usd", "USD", "USD"),
        (Column("x", "currency"), None, "KWD", "KWD"),
        (Column("x", "word", words=("Daily", "Weekly")), "weekly", "Weekly", "Weekly"),
        (Column("x", "word", words=("Daily", "Weekly"), default="Daily"), None, "Daily", "Daily"),
        (Column("x", "ids"), [1, "2"], [1, 2], [1, 2]),
        (Column("x", "ids"), None, [], []),
        (Column("x", "texts"), ["a"], ["a"], ["a"]),
        (
            Column("x", "rows", columns=DUE),
            [{"amount": "1.5", "dueDate": "2026-04-06"}],
            [{"amount": 1500, "dueDate": 1775422800.0}],
            [{"amount": 1.5, "dueDate": "04/06/2026 00:00:00"}],
        ),
    ],
)
def test_a_value_is_kept_and_written(column: Column, sent: Any, kept: Any, written: Any) -> None:
    found = read(column, sent)

    assert (found, type(found)) == (kept, type(kept))
    assert json.loads(json.dumps(found)) == found
    assert columns.shown([column], {"x": found}) == {"x": written}


@pytest.mark.parametrize(
    ("column", "sent", "key"),
    [
        (Column("title", required="TitleRequired"), " ", "TitleRequired"),
        (Column("x", "integer", required="IntRequired"), 0, "IntRequired"),
        (Column("x", "ids", required="ProductsRequired"), [], "ProductsRequired"),
        (Column("x", "date", required="DateRequired"), None, "DateRequired"),
        (Column("billNo", "integer"), -1, "InvalidBillNo"),
        (Column("amount", "kwd"), "-0.001", "InvalidAmount"),
        (Column("amount", "kwd"), "0.0001", "InvalidAmount"),
        (Column("startDate", "date"), "soon", "InvalidDateFormat"),
        (Column("lang", "language"), "e1", "InvalidLanguageCode"),
        (Column("currency", "currency"), "XXX", "InvalidCurrencyCode"),
        (Column("billPeriod", "word", words=("Daily",)), "Hourly", "InvalidBillPeriod"),
        (Column("x", "rows", columns=DUE), [{"dueDate": "2026-04-06"}], "AmountRequired"),
    ],
)
def test_a_value_is_refused_with_its_key(column: Column, sent: Any, key: str) -> None:
    assert error(column, sent) == (key, 200)


@pytest.mark.parametrize(
    ("column", "sent"),
    [
        (Column("x"), {}),
        (Column("x", "number"), "many"),
        (Column("x", "flag"), "true"),
        (Column("x", "ids"), ["a"]),
        (Column("x", "ids"), 1),
        (Column("x", "texts"), [1]),
        (Column("x", "rows", columns=DUE), ["a"]),
    ],
)
def test_an_impossible_type_is_http_400(column: Column, sent: Any) -> None:
    assert error(column, sent) == ("WrongObject", 400)


def test_an_impossible_type_comes_before_what_is_missing() -> None:
    both = (Column("a", required="ARequired"), Column("b", "flag"))
    with pytest.raises(Refusal, match="WrongObject"):
        columns.read(World(), both, Fields({"b": 1}))


def test_a_later_column_is_read_by_updates_only_and_stays_as_it_is() -> None:
    column = Column("x", "flag", later=True)

    assert read(column, True) is False
    assert read(column, True, {"x": False}) is True
    assert read(column, None, {"x": True}) is True
    assert read(column, False, {"x": True}) is False


def test_only_the_columns_wanted_are_shown() -> None:
    both = (Column("a"), Column("b"))
    assert columns.shown(both, {"a": "1", "b": "2"}, ["b"]) == {"b": "2"}
