from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import celery._state
import pytest
from celery import Celery

from tests.views.conftest import invoice, order

__all__ = ["invoice", "order"]


@pytest.fixture
def celery_app() -> Iterator[Callable[..., Any]]:
    """Makes the process's Celery app, with that broker: ``celery_app("redis://…")``."""
    before = celery._state.default_app

    def make(broker: str, **config: Any) -> Any:
        app = Celery("tests", broker=broker, set_as_current=True)
        app.conf.update(config)
        app.set_default()
        return app

    yield make
    celery._state.set_default_app(before)
    celery._state._tls.current_app = None
