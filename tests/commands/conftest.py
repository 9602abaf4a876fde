from __future__ import annotations

from tests.views.conftest import invoice, order

__all__ = ["invoice", "order"]
