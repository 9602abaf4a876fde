from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command

from django_sadadpay.testing.gateway import Sadad


@pytest.fixture
def products(db: None) -> None:
    """The catalogue of the demo."""
    call_command("seed_shop")


@pytest.fixture
def shop(transactional_db: None, sadad: Sadad, settings: Any) -> Sadad:
    """The shop with its catalogue, paid through an emulator; webhooks are handled at once, by no worker."""
    settings.SADADPAY = {**settings.SADADPAY, "TASK_RUNNER": "inline"}
    call_command("seed_shop")
    return sadad
