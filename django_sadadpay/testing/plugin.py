"""Fixtures: ``sadad`` (an emulator that the settings point at), ``sadad_clock``, a guard on every call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from django_sadadpay.testing.gateway import Sadad


@pytest.fixture
def sadad(settings: Any) -> Iterator[Sadad]:
    """A fresh emulator; ``SADADPAY`` points at it. Webhooks wait until ``sadad.deliver()``."""
    from django_sadadpay.emulator import Emulator
    from django_sadadpay.testing.gateway import Sadad, account_settings

    with Emulator(deliver="manual", webhook_url="http://shop.invalid/") as emulator:
        settings.SADADPAY = account_settings(emulator, getattr(settings, "SADADPAY", {}))
        yield Sadad(emulator)


@pytest.fixture
def sadad_clock() -> Iterator[Callable[[float], None]]:
    """Moves the app's clock: ``sadad_clock(3600)`` is an hour later."""
    from django_sadadpay.services import clock

    yield clock.shift
    clock.shift_reset()


@pytest.fixture(autouse=True)
def no_gateway_call_inside_a_transaction(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails a test in which Sadad was called while a transaction was open on any connection.

    The call itself is refused in production too; but a service may take that for a gateway error: told here.
    """
    from django.apps import apps

    if not apps.ready:  # a run without Django, of the gateway or the emulator alone
        yield
        return
    from django_sadadpay.services import gateway, transactions

    seen: list[str] = []
    refuse = gateway.before_call

    def watch(endpoint: str) -> None:
        if transactions.open_transactions():
            seen.append(endpoint)
        refuse(endpoint)

    monkeypatch.setattr(gateway, "before_call", watch)
    yield
    if seen:
        pytest.fail(f"called inside a transaction: {', '.join(seen)}")
