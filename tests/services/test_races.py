"""Each race of ``tests/fire`` for one round, in every environment."""

from __future__ import annotations

from typing import Any

import pytest

from django_sadadpay.testing.gateway import Sadad
from tests.fire.contests import CONTESTS, Contest

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("contest", CONTESTS, ids=lambda contest: contest.__name__)
def test_one_round(contest: Contest, sadad: Sadad, admin_user: Any) -> None:
    contest(sadad, admin_user)
