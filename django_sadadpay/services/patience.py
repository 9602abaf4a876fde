"""Calls of a long walk through Sadad's lists: after a 429 it waits as long as Sadad asks, and goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django_sadadpay.gateway.errors import RateLimited

T = TypeVar("T")
#: Seconds where Sadad does not say how long, doubled each time, and the longest that is waited for.
PAUSE, LONGEST = 5.0, 120.0
#: How often in a row it is borne.
TIMES = 5
sleep = time.sleep


def call(ask: Callable[[], T]) -> T:
    """``ask()``, again after the time that Sadad asks for.

    :raises RateLimited: it asked for that too often in a row.
    """
    for count in range(TIMES):
        try:
            return ask()
        except RateLimited as error:
            sleep(min(error.retry_after or PAUSE * 2**count, LONGEST))
    return ask()
