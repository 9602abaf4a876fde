"""Two spellings of one value are no difference."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from django_sadadpay.gateway.endpoints import ENDPOINTS
from django_sadadpay.gateway.fields import Field
from django_sadadpay.services import comparing

PLAN = {field.name: field for field in ENDPOINTS["InstallmentPlan/insert"].fields}


def field(kind: Any) -> Field:
    return Field("x", "x", kind=kind)


@pytest.mark.parametrize(
    ("kind", "ours", "theirs"),
    [
        ("kwd", "1.250", Decimal("1.25")),
        ("kwd", "1.250", "1.2500000001"),
        ("kwd", "0.000", None),
        ("kwd", None, 0),
        ("integer", 3, "3"),
        ("integer", -2, -2),
        ("flag", False, None),
        ("flag", True, True),
        ("text", "", None),
        ("text", "Beans", " Beans "),
        ("text", "7", 7),
        ("language", "en", "En"),
        ("date", "2026-12-01", "12/01/2026 00:00:00"),
        ("date", "2026-12-01", "2026-12-01"),
        ("any", ["a"], ["a"]),
        ("any", [], None),
    ],
)
def test_the_same(kind: str, ours: Any, theirs: Any) -> None:
    assert comparing.same(ours, theirs, field(kind))


@pytest.mark.parametrize(
    ("kind", "ours", "theirs"),
    [
        ("kwd", "1.250", "1.251"),
        ("kwd", "1.250", None),
        ("kwd", "1.250", "much"),
        ("integer", -2, -3),
        ("flag", True, None),
        ("flag", True, False),
        ("text", "Beans", "beans"),
        ("text", "Beans", ""),
        ("date", "2026-12-01", "12/02/2026 00:00:00"),
        ("date", "2026-12-01", "soon"),
        ("any", ["a"], ["b"]),
        ("any", ["a"], ["a", "b"]),
        ("any", ["a"], "a"),
    ],
)
def test_not_the_same(kind: str, ours: Any, theirs: Any) -> None:
    assert not comparing.same(ours, theirs, field(kind))


def test_rows_are_compared_by_what_ours_name() -> None:
    ours = [{"amount": "10.000", "due_date": "2026-12-01"}]
    told = [{"id": 1, "amount": 10, "dueDate": "12/01/2026 00:00:00", "status": "Unpaid"}]
    assert comparing.same(ours, told, PLAN["installments"])
    told[0]["amount"] = 11
    assert not comparing.same(ours, told, PLAN["installments"])
    assert not comparing.same(ours, ["a"], PLAN["installments"])


def test_what_sadad_does_not_show_is_not_compared() -> None:
    wanted = {"amount": "30.000", "comment": "mine", "lang": "ar"}
    assert comparing.difference(wanted, {"amount": 31, "lang": "ar", "status": "New"}, PLAN) == {
        "amount": ("30.000", 31)
    }
    assert comparing.difference(wanted, {"comment": "theirs"}, {}) == {"comment": ("mine", "theirs")}
