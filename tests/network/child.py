"""Calls a server that sends far too much, in a process of its own: ``python -m tests.network.child URL``.

Prints by how many kilobytes the process grew at its highest, as the system counts it: C libraries too.
"""

from __future__ import annotations

import resource
import sys
from datetime import UTC, datetime, timedelta

from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.errors import SadadError
from django_sadadpay.gateway.tokens import MemoryTokenStore, Tokens


def main(url: str) -> None:
    store, now = MemoryTokenStore(), datetime.now(UTC)
    store._tokens = Tokens("access", "refresh", now + timedelta(days=1), now)
    client = SadadClient("key", "secret", api_url=url, store=store, deadline=60)
    client.common.getcurrencies()  # all modules are loaded, the connection stands
    before = highest()
    for endpoint in ("Product/insert", "ProductLink/insert", "ProductCategory/insert"):
        try:
            client.call(endpoint, body={"nameEn": "x", "nameAr": "x", "categoryId": 1})
        except SadadError as error:
            print(type(error).__name__)
    print(highest() - before)


def highest() -> int:
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size // 1024 if sys.platform == "darwin" else size


if __name__ == "__main__":
    main(sys.argv[1])
