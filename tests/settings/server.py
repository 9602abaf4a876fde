"""The address of a database server, as tests/servers/ hands it over: one URL in the environment."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


def database(variable: str, engine: str, **options: Any) -> dict[str, Any]:
    """Django's database settings for the URL in ``variable`` (``scheme://user@host:port/name``)."""
    address = os.environ.get(variable)
    if not address:
        raise ImproperlyConfigured(f"{variable} is not set: run this under `python -m tests.servers …`.")
    url = urlsplit(address)
    return {
        "ENGINE": f"django.db.backends.{engine}",
        "HOST": url.hostname,
        "PORT": url.port,
        "USER": url.username,
        "PASSWORD": url.password or "",
        "NAME": url.path.removeprefix("/"),
        "OPTIONS": options,
    }
