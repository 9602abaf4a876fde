"""A private Redis: ``python -m tests.servers.redis -- COMMAND…``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers.private import PrivateServer, find, run_under

VARIABLE = "SADADPAY_TEST_REDIS"


@contextmanager
def server() -> Iterator[str]:
    """The URL of a fresh server, which is stopped and removed at the end."""
    redis = find("redis-server")
    private = PrivateServer("redis")
    print(f"Redis: {redis}, port {private.port}", file=sys.stderr)
    options = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(private.folder))
    with private.running(redis, "--port", str(private.port), *options):
        yield f"redis://127.0.0.1:{private.port}/0"


if __name__ == "__main__":
    run_under(server(), VARIABLE, sys.argv[1:])
