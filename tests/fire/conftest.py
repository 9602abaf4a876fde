from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from tests.fire.nursery import Nursery, nursery


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Minutes long: run only by those who ask for them, by ``-m fire`` or by naming this folder."""
    asked = "fire" in str(config.option.markexpr) or any("tests/fire" in str(one) for one in config.args)
    if not asked:
        left = [item for item in items if item.get_closest_marker("fire") is not None]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


@pytest.fixture(scope="session")
def processes(django_db_setup: Any) -> Iterator[Nursery]:
    """Processes beside this one, on the same test database."""
    with nursery(str(connections["default"].settings_dict["NAME"])) as made:
        yield made
