"""Bytes → JSON values that are safe to keep: money as Decimal, and nothing that a database chokes on."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, NoReturn

LONGEST_NUMBER = 60
LARGEST_EXPONENT = 60
DEEPEST = 40
# PostgreSQL stores neither U+0000 nor half of a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def loads(body: bytes) -> Any:
    """Decode a body.

    :raises ValueError: not UTF-8, not JSON, NaN or Infinity, a number of absurd size, or nested too deep.
    """
    text = body.decode("utf-8-sig")  # .NET likes to send a byte order mark
    try:
        value = json.loads(
            text,
            parse_float=_decimal,
            parse_int=_whole,
            parse_constant=_refuse,
        )
    except (RecursionError, ArithmeticError):  # too deep; an exponent that even Decimal refuses
        raise ValueError("JSON that nobody would send") from None
    # Strict UTF-8 holds no half pairs and strict JSON no U+0000: either only comes as an escape. Lists have
    # many thousand texts, and looking at each takes longer than all else in reading them.
    if "\\u" in text:
        return _clean(value, DEEPEST)
    _measure(value, DEEPEST)
    return value


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        _refuse(digits)
    return int(digits)


def _decimal(digits: str) -> Decimal:
    if len(digits) > LONGEST_NUMBER:
        _refuse(digits)
    found = Decimal(digits)
    # A short text such as 1e999999 would be a million digits as soon as someone rounds it.
    if not found.is_finite() or abs(found.adjusted()) > LARGEST_EXPONENT:
        _refuse(digits)
    return found


def _refuse(_digits: str) -> NoReturn:
    raise ValueError("a number that is not a number of ours")


def _measure(value: Any, depth: int) -> None:
    if not isinstance(value, (dict, list)):
        return
    if depth == 0:
        raise ValueError("nested too deep")
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, (dict, list)):
            _measure(item, depth - 1)


def _clean(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        # Most text is ASCII, which Python knows without looking.
        if value.isascii() and "\0" not in value:
            return value
        return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, (dict, list)) and depth == 0:
        raise ValueError("nested too deep")
    if isinstance(value, dict):
        return {_clean(key, 0): _clean(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, depth - 1) for item in value]
    return value
