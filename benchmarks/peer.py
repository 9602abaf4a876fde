"""dj-stripe's synchronisation of one object, in the same run on the same database. No dependency of ours.

The product is handed in as Stripe would send it, and what it asks the network is answered in memory, as ours.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any
from unittest import mock

from django.db import connection

from benchmarks import peer_settings
from benchmarks.sync import Row, Spent, _row, counting, spend


def is_here() -> bool:
    return importlib.util.find_spec("djstripe") is not None


def measure_peer(objects: int) -> list[Row]:
    """New and unchanged products, one ``sync_from_stripe_data`` each, as its webhooks and commands do."""
    product: Any = importlib.import_module("djstripe.models").Product
    _own_account()
    rows = []
    for name in ("dj-stripe sync, new", "dj-stripe sync, unchanged"):
        with counting() as seen, mock.patch("stripe._http_client.HTTPClient.request_with_retries", _nothing):
            spent: Spent = spend(lambda: [product.sync_from_stripe_data(_product(n)) for n in range(objects)])
        rows.append(_row(name, objects, seen.count, spent))
    if product.objects.count() != objects:
        raise AssertionError(
            f"dj-stripe stored {product.objects.count()} of {objects} on {connection.vendor}"
        )
    return rows


def _nothing(*_: Any, **__: Any) -> tuple[str, int, dict[str, str]]:
    """It asks for each product's features: in memory, there are none."""
    return '{"object": "list", "data": [], "has_more": false, "url": "/"}', 200, {}


def _own_account() -> None:
    """Without it, each synchronisation would ask Stripe whose the key is."""
    models: Any = importlib.import_module("djstripe.models")
    account = models.Account.objects.create(id="acct_00000000000000")
    key = peer_settings.STRIPE_TEST_SECRET_KEY
    models.APIKey.objects.update_or_create(
        secret=key, defaults={"livemode": False, "type": "secret", "djstripe_owner_account": account}
    )


def _product(number: int) -> dict[str, Any]:
    return {
        "id": f"prod_{number:014}",
        "object": "product",
        "active": True,
        "attributes": [],
        "created": 1_700_000_000,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "metadata": {},
        "name": f"Product {number}",
        "type": "service",
        "updated": 1_700_000_000,
        "url": None,
    }
