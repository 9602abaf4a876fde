"""What the commands' arguments have in common."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import date


def positive(text: str) -> int:
    """A whole number of at least 1.

    :raises ArgumentTypeError: anything else.
    """
    if not (text.isascii() and text.isdigit()) or int(text) == 0:
        raise ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def day(text: str) -> date:
    """A day as ``YYYY-MM-DD``.

    :raises ArgumentTypeError: anything else.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2026-01-31") from None
