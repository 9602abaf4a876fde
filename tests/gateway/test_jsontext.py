"""Replies are read fast where no text is escaped, and cleaned where one is: what comes out is the same."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_sadadpay.gateway import jsontext

LOST = "\N{REPLACEMENT CHARACTER}"
ARABIC = "قهوة 😀 \\ \" ' / end"


def nested(depth: int, inner: str) -> bytes:
    return ("[" * depth + inner + "]" * depth).encode()


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'["\u0000"]', [LOST]),
        (rb'["a\u0000b\u0000"]', [f"a{LOST}b{LOST}"]),
        (rb'["\ud83d"]', [LOST]),
        (rb'["\ude00\ud83d"]', [LOST + LOST]),
        (rb'["x\udfff y"]', [f"x{LOST} y"]),
        (rb'{"\u0000key": {"\ud800": ["\u0000"]}}', {f"{LOST}key": {LOST: [LOST]}}),
    ],
)
def test_what_no_database_stores_is_taken_out_of_escaped_text(body: bytes, value: Any) -> None:
    assert jsontext.loads(body) == value


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'["\u0642\u0647\u0648\u0629"]', ["قهوة"]),
        (rb'["\ud83d\ude00"]', ["😀"]),
        (rb'["\u00e9", 1.250, true, null]', ["é", Decimal("1.250"), True, None]),
        (rb'["\\u0000"]', ["\\u0000"]),  # an escaped backslash: six plain characters
    ],
)
def test_other_escapes_are_read_as_they_are_meant(body: bytes, value: Any) -> None:
    assert jsontext.loads(body) == value


def test_text_without_escapes_is_left_as_it_is() -> None:
    body = json.dumps({ARABIC: [ARABIC, {"a": ARABIC}]}, ensure_ascii=False).encode()
    assert b"\\u" not in body
    assert jsontext.loads(body) == {ARABIC: [ARABIC, {"a": ARABIC}]}


@pytest.mark.parametrize("body", [b'["\x00"]', b'["\xed\xa0\x80"]', b'["\xff"]', b'"\x00"'])
def test_what_would_have_to_be_cleaned_without_an_escape_is_no_json(body: bytes) -> None:
    """The fast way relies on it."""
    with pytest.raises(ValueError, match=r"\w"):
        jsontext.loads(body)


@pytest.mark.parametrize("inner", ['"plain"', r'"\u0041"'], ids=["plain", "escaped"])
def test_what_is_nested_too_deep_is_refused_either_way(inner: str) -> None:
    assert jsontext.loads(nested(jsontext.DEEPEST, inner))
    with pytest.raises(ValueError, match="nested too deep"):
        jsontext.loads(nested(jsontext.DEEPEST + 1, inner))
    in_objects = f'{{"a":{inner}}}'
    with pytest.raises(ValueError, match="nested too deep"):
        jsontext.loads(nested(jsontext.DEEPEST, in_objects))


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)


@given(anything)
def test_both_ways_give_the_same(value: Any) -> None:
    escaped = jsontext.loads(json.dumps([value, "é"]).encode())
    assert b"\\u" in json.dumps([value, "é"]).encode()
    plain = json.dumps([value, "é"], ensure_ascii=False).replace("\\u0000", "").encode()
    if b"\\u" not in plain:  # control characters are always escaped
        assert jsontext.loads(plain) == escaped
