"""What the whole suite shares. Fixtures for one subject stand in that subject's own conftest.py."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import django
import pytest
from hypothesis import settings

from tests import flushing
from tests.servers import chromium, redis

if TYPE_CHECKING:  # installed where browser tests run only
    from playwright.sync_api import Browser

pytest_plugins = ["django_sadadpay.testing.plugin"]


# The same examples in every run: nobody believes a suite that is red by luck. HYPOTHESIS_PROFILE=random looks
# for others. No deadlines: a busy machine is no failure.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a green run on another Django than the environment's name says."""
    expected = os.environ.get("SADADPAY_EXPECT_DJANGO")
    if expected and not django.__version__.startswith(f"{expected}."):
        pytest.exit(f"this environment is for Django {expected}, not {django.__version__}", returncode=4)


def pytest_collection_finish() -> None:
    """What was imported stays: the collector need not walk through all of it again in every test."""
    gc.collect()
    gc.freeze()


def pytest_report_header(config: pytest.Config) -> str:
    """What is tested on what."""
    settings = os.environ.get("DJANGO_SETTINGS_MODULE", "no settings")
    return f"Python {sys.version.split()[0]}, Django {django.__version__}, {settings}"


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        flushing.install(patch)
        yield


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of a real Redis: the environment's, else a private one for this run."""
    given = os.environ.get(redis.VARIABLE)
    if given:
        yield given
    else:
        with redis.server() as address:
            yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium; a test opens its own page with ``browser.new_context(locale="ar").new_page()``."""
    with chromium.browser() as launched:
        yield launched
