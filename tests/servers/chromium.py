"""Debian's Chromium, driven by playwright. Nothing is downloaded, and the browser talks to 127.0.0.1 only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.servers.private import ServerError, find

if TYPE_CHECKING:  # playwright is installed where browser tests run only
    from playwright.sync_api import Browser

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# Without these it looks up its maker's hosts at every start, and goes on trying where those are not reached.
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless browser; every test makes its own context (``new_context``), so nothing is shared."""
    from playwright.sync_api import sync_playwright

    options = [*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]  # root has no sandbox to give
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=_program(), args=options)
        try:
            yield launched
        finally:
            launched.close()


def _program() -> str:
    for name in PROGRAMS:
        try:
            return find(name)
        except ServerError:
            continue
    raise ServerError(f"none of {', '.join(PROGRAMS)} is installed")
