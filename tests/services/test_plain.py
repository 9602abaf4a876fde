from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_sadadpay.services import plain

#: Text with NUL and halves of surrogate pairs, too.
anything = st.text(st.characters() | st.sampled_from("\x00\ud800\udfff"))
trees = st.recursive(
    anything | st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(anything, inner) | st.tuples(inner),
)


def storable(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" not in value and value.encode().decode() == value
    if isinstance(value, dict):
        return all(storable(key) and storable(item) for key, item in value.items())
    return all(map(storable, value)) if isinstance(value, list) else not isinstance(value, tuple)


@given(anything, st.integers(0, 30))
def test_any_text_becomes_one_that_every_database_stores(value: str, limit: int) -> None:
    made = plain.text(value, limit)
    assert storable(made)
    assert len(made) <= limit


def test_ordinary_text_is_trimmed_and_cut_only() -> None:
    assert plain.text("  نور Noor 😀 \n", 40) == "نور Noor 😀"
    assert plain.text("abcdef", 3) == "abc"
    assert plain.text("a\x00b\ud800", 40) == "ab?"


@given(trees)
def test_any_reply_becomes_data_that_every_database_stores(tree: Any) -> None:
    made = plain.data(tree)
    assert storable(made)
    json.dumps(made, default=str)


def test_what_is_storable_stays_as_it_is() -> None:
    reply = {"id": 7, "amount": Decimal("1.250"), "items": [{"name": "قهوة", "gone": None}], "ok": True}
    assert plain.data(reply) == reply


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ({"a\x00": ["b\x00", ("c\x00",)]}, {"a": ["b", ["c"]]}),
        ({5: "x"}, {"5": "x"}),
        (Decimal("1.250"), Decimal("1.250")),
    ],
)
def test_examples(value: Any, made: Any) -> None:
    assert plain.data(value) == made
