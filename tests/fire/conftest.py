from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from tests.fire.nursery import Nursery, nursery


@pytest.fixture(scope="session")
def processes(django_db_setup: Any) -> Iterator[Nursery]:
    """Processes beside this one, on the same test database."""
    with nursery(str(connections["default"].settings_dict["NAME"])) as made:
        yield made
