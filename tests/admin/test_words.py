"""Every code that the services write has its words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.template import Context, Template
from django.utils import translation

from django_sadadpay import services, texts
from django_sadadpay.admin import words
from django_sadadpay.models import Invoice, Refund
from django_sadadpay.models.invoice import InvoiceEvent
from django_sadadpay.money import MoneyError

SERVICES = Path(str(services.__file__)).parent
_WRITERS = ("change", "append")


def kinds_in_the_services() -> Iterator[str]:
    """The text handed to ``change()`` and ``append()`` as the ledger row's kind."""
    for path in SERVICES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _name(node.func) in _WRITERS:
                for argument in node.args[:2]:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        yield argument.value


def _name(function: ast.expr) -> str:
    return getattr(function, "id", getattr(function, "attr", ""))


def test_every_kind_of_ledger_row_has_its_words() -> None:
    found = set(kinds_in_the_services())
    assert {"created", "paid", "refund_requested", "mismatch"} <= found
    found |= {
        f"refund_{state}" for state in (Refund.State.DONE, Refund.State.REFUSED, Refund.State.DID_NOT_HAPPEN)
    }
    found |= {str(Invoice.State.CANCELLED), str(Invoice.State.EXPIRED)}  # transitions.close
    assert found == set(words.KINDS)


def details(kind: str, params: dict[str, object], **changes: list[object]) -> list[str]:
    return list(words.details(InvoiceEvent(kind=kind, params=params, changes=changes)))


@pytest.mark.parametrize(
    ("kind", "params", "said"),
    [
        ("withdrawn", {"why": "basket"}, ["the basket changed"]),
        ("withdrawn", {}, ["–"]),
        ("doubt", {"what": "paid"}, ["paid"]),
        ("doubt", {}, []),
        (
            "refund_done",
            {"amount": "1.250", "code": "", "found": "looked"},
            ["1.250 KWD", "seen in Sadad's figures"],
        ),
        ("refund_unknown", {"code": "abandoned"}, ["The process that sent it was stopped"]),
        ("refund_refused", {"code": "nothing_left"}, ["Nothing is left to refund."]),
        ("refund_panel", {"amount": "much"}, ["much"]),
        (
            "mismatch",
            {"what": "amount", "ours": "1.000", "theirs": "2.000"},
            [texts.attention_sentence("mismatch", {"what": "amount", "ours": "1.000", "theirs": "2.000"})],
        ),
        ("read", {}, []),
    ],
)
def test_a_ledger_row_s_details(kind: str, params: dict[str, object], said: list[str]) -> None:
    assert details(kind, params) == said


def test_a_ledger_row_s_changes() -> None:
    assert details("created", {}, state=[None, "new"], pay_url=[None, ""], paid_amount=[None, "0.000"]) == [
        "state: being made"
    ]
    assert details("x", {}, open_slot=["a", None], error_code=["", "not_open"]) == [
        "can be paid: yes → no",
        "error: Only an open invoice can be cancelled.",
    ]
    (when,) = details("paid", {}, paid_at=[None, "2026-11-22T09:00:00.000000+00:00"])
    assert when == "paid: Nov. 22, 2026, noon"
    assert details("x", {}, status_text=["Unpaid", ""]) == ["Sadad's status: Unpaid → –"]


def test_unknown_codes_are_shown_as_they_are() -> None:
    assert words.kind(InvoiceEvent(kind="new one")) == "new one"
    assert words.event_error("odd") == "odd"
    assert words.resolution("by hand: twice") == "by hand: twice"
    assert words.refund_error(Refund(error_code="")) == "–"


def test_the_filter_shows_money_as_everywhere() -> None:
    template = Template(
        "{% load sadadpay %}{{ a|money }}|{{ b|money:'USD' }}|{{ none|money }}|{{ blank|money }}"
    )
    values = {"a": Decimal("1234.5"), "b": 5, "none": None, "blank": ""}
    assert template.render(Context(values)) == "1,234.500 KWD|5.00 USD||"
    with translation.override("ar"):
        assert template.render(Context(values)) == "1,234.500 د.ك|5.00 USD||"


def test_the_filter_refuses_floats() -> None:
    with pytest.raises(MoneyError):
        Template("{% load sadadpay %}{{ a|money }}").render(Context({"a": 1.25}))
