"""What every page of the shop shows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from example_project.shop.basket import Basket


def basket(request: HttpRequest) -> dict[str, Any]:
    """The basket in the page's head; pages without a session (webhook, errors) have none."""
    session = getattr(request, "session", None)
    found = None if session is None else Basket(session)
    return {"basket": found, "uses_sandbox": settings.USES_SANDBOX}
