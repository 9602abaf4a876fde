"""Every code has a sentence, in both languages, and no stored parameter breaks one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

import django_sadadpay
from django_sadadpay import texts
from django_sadadpay.gateway.endpoints import ENDPOINTS
from django_sadadpay.models.attention import RULES, Code
from django_sadadpay.services import errors

PACKAGE = Path(django_sadadpay.__file__).parent
RAISED = {
    "Refused",
    "TryAgain",
    "OutcomePending",
    "NeedsAttention",
    "AlreadyPaid",
    "NothingToPay",
    "PaymentError",
}
LANGUAGES = ("en", "ar")
ALL = [
    *texts.ERRORS.values(),
    *texts.ERROR_KEYS.values(),
    *texts.ATTENTION.values(),
    *texts.ACTIONS.values(),
    *texts.FACTS.values(),
    *(text for page in texts.PAGES.values() for text in (page.title, page.sentence, page.again) if text),
]


def codes_in_the_sources() -> Iterator[str]:
    """What is raised with a code of its own, anywhere in the package."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in RAISED
                and node.args
            ):
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value


def test_every_error_key_of_the_endpoint_table_has_a_sentence() -> None:
    keys = {key for row in ENDPOINTS.values() for key in row.refusals | row.missing}
    assert keys - set(texts.ERROR_KEYS) == set()


def test_every_error_that_is_raised_has_a_sentence() -> None:
    raised = set(codes_in_the_sources())
    assert {"link_expired", "parked", "database_busy"} <= raised, "the search finds what is there"
    assert raised - {*texts.ERRORS, *texts.ERROR_KEYS} == set()


def test_every_public_error_has_a_sentence() -> None:
    classes = [
        one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.PaymentError)
    ]
    assert len(classes) >= 8
    assert [one for one in classes if one.code not in texts.ERRORS] == []


@pytest.mark.parametrize("code", list(Code))
def test_every_reason_to_ask_a_person_has_a_rule_and_a_sentence(code: str) -> None:
    assert RULES[code].actions
    assert texts.attention_sentence(code, {}) != code


def test_every_action_has_a_label() -> None:
    offered = {action for rule in RULES.values() for action in rule.actions}
    offered = {*(offered - {"decide"}), "happened", "did_not_happen"}
    assert offered == set(texts.ACTIONS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_keeps_its_placeholders_in_every_language(language: str) -> None:
    holes = re.compile(r"%\(\w+\)s")
    for text in ALL:
        with translation.override("en"):
            english = sorted(holes.findall(str(text)))
        with translation.override(language):
            assert sorted(holes.findall(str(text))) == english, str(text)
            assert "%" not in holes.sub("", str(text)), str(text)


def test_every_text_is_arabic_in_arabic() -> None:
    with translation.override("ar"):
        assert [str(text) for text in ALL if not re.search("[\u0621-\u064a]", str(text))] == []


# Parameters

_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_NAME = st.sampled_from(["what", "theirs", "ours", "due", "asked", "amount", "error_key", "reason", "status"])


@given(
    code=st.sampled_from([*texts.ATTENTION, "", "new_code"]),
    params=st.dictionaries(_NAME, _VALUE) | _VALUE,
    language=st.sampled_from(LANGUAGES),
)
def test_no_stored_parameters_break_a_sentence(code: str, params: Any, language: str) -> None:
    with translation.override(language):
        assert isinstance(texts.attention_sentence(code, params), str)


@pytest.mark.parametrize(
    "amount",
    [["1e999999", "KWD"], ["NaN", "KWD"], ["-Infinity", "USD"], ["sNaN", ""], [None, None], [[], {}]],
)
def test_an_amount_that_is_none_is_shown_as_it_is(amount: list[Any]) -> None:
    sentence = texts.attention_sentence("amount_changed", {"due": amount, "asked": ["10", "KWD"]})
    assert "10.000 KWD" in sentence


def test_amounts_are_shown_as_money_in_the_readers_language() -> None:
    params = {"due": ["1234.5", "KWD"], "asked": ["10", "USD"]}
    assert "1,234.500 KWD instead of 10.00 USD" in texts.attention_sentence("amount_changed", params)
    with translation.override("ar"):
        assert "1,234.500 د.ك" in texts.attention_sentence("amount_changed", params)


def test_facts_and_error_keys_are_shown_in_words() -> None:
    mismatch = texts.attention_sentence("mismatch", {"what": "amount", "ours": "1", "theirs": "2"})
    assert "differs from ours in the amount: 2 at Sadad, 1 here" in mismatch
    refused = texts.attention_sentence(
        "refund_refused", {"amount": ["1", "KWD"], "error_key": "InvalidRefundAmount"}
    )
    assert refused == "A refund of 1.000 KWD was refused: The amount cannot be refunded."


def test_what_is_missing_is_a_dash() -> None:
    assert texts.attention_sentence("pay_url_host", {}).startswith("Sadad's pay link points to – instead")
    assert texts.error_sentence("bad_draft") == "The order's data cannot be used for a payment: –."


@pytest.mark.parametrize(
    ("code", "field", "sentence"),
    [
        ("bad_draft", "amount", "The order's data cannot be used for a payment: amount."),
        ("InvoiceExpired", "", "The invoice has expired."),
        ("100% new", "", "Sadad refused it: 100% new"),
        ("", "", "Something went wrong. Nothing was charged."),
    ],
)
def test_error_sentences(code: str, field: str, sentence: str) -> None:
    assert texts.error_sentence(code, field) == sentence
