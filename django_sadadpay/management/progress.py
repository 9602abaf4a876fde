"""How far a long command is: a bar with rate and time left on a terminal, plain lines in a log."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import Any

#: Seconds between two lines of a log, and between two drawings of the bar.
LOG_PAUSE, BAR_PAUSE = 10.0, 0.1
_BAR = 24


class Meter:
    """Shows one thing after the other on a stream.

    :param stream: what a command writes to (``self.stdout``).
    """

    def __init__(self, stream: Any, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self.is_bar = bool(stream.isatty())
        self._shown_at = clock()
        self._drawn = False

    def show(self, name: str, done: int, total: int | None, seconds: float) -> None:
        """Say how far ``name`` is, unless that was said a moment ago."""
        now = self._clock()
        if now - self._shown_at < (BAR_PAUSE if self.is_bar else LOG_PAUSE):
            return
        self._shown_at = now
        text = line(name, done, total, seconds, bar=self.is_bar)
        if self.is_bar:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write("\r" + text[:width].ljust(width), ending="")
            self._drawn = True
        else:
            self._stream.write(text)
        self._stream.flush()

    def clear(self) -> None:
        """Take the bar away, before a line is written."""
        if self._drawn:
            self._stream.write("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r", ending="")
            self._drawn = False


def line(name: str, done: int, total: int | None, seconds: float, *, bar: bool = False) -> str:
    """``products: 1,200 of 5,000 (24%), 812 a second, 0:05 left``."""
    rate = done / seconds if seconds > 0 else 0.0
    parts = [f"{name}: {done:,}" + (f" of {total:,} ({done * 100 // total}%)" if total else "")]
    parts.append(f"{rate:,.0f} a second")
    if total and rate:
        parts.append(f"{_clock(max(total - done, 0) / rate)} left")
    return f"{_drawing(done, total)} {', '.join(parts)}" if bar and total else ", ".join(parts)


def _drawing(done: int, total: int) -> str:
    full = min(_BAR * done // total, _BAR)
    return f"[{'#' * full}{'-' * (_BAR - full)}]"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
