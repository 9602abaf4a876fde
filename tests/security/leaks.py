"""Search whatever a failure shows for what nobody may see: keys, tokens, phones, e-mail addresses."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from django.views.debug import ExceptionReporter

import django_sadadpay

_OURS = str(Path(django_sadadpay.__file__).parent)
_NOT_SHIPPED_TO_SHOPS = (f"{_OURS}/emulator", f"{_OURS}/testing")


def frames(error: BaseException) -> Iterator[FrameType]:
    """Every frame that a report of the error would show: its own, and those of what it was raised from."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield from _frames(one.__traceback__)
        left += [one.__cause__, None if one.__suppress_context__ else one.__context__]


def _frames(trace: TracebackType | None) -> Iterator[FrameType]:
    while trace is not None:
        yield trace.tb_frame
        trace = trace.tb_next


def is_ours(frame: FrameType) -> bool:
    file = frame.f_code.co_filename
    return file.startswith(_OURS) and not file.startswith(_NOT_SHIPPED_TO_SHOPS)


def in_locals(error: BaseException, secrets: tuple[str, ...]) -> list[str]:
    """Where our own frames hold one of the secrets in a local variable, as a debugger or Sentry shows it."""
    found = []
    for frame in frames(error):
        if not is_ours(frame):
            continue
        for name, value in list(frame.f_locals.items()):
            text = _shown(value)
            if any(secret in text for secret in secrets):
                found.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_code.co_name}:{name}")
    return found


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - a repr of Django's may ask a database that was made to fail
        return ""


def report(error: BaseException, request: Any = None) -> str:
    """Django's page with all variables, as DEBUG shows it and as admins may get it by mail."""
    kind = type(error)
    reporter = ExceptionReporter(request, kind, error, error.__traceback__, is_email=True)
    return reporter.get_traceback_html() + reporter.get_traceback_text()


def current() -> BaseException:
    error = sys.exc_info()[1]
    assert error is not None
    return error
