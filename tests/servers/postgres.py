"""A private PostgreSQL: ``python -m tests.servers.postgres -- COMMAND…``."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers.private import PrivateServer, find, run_under

VARIABLE = "SADADPAY_TEST_POSTGRES"
FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")


@contextmanager
def server() -> Iterator[str]:
    """The URL of a fresh server, which is stopped and removed at the end."""
    initdb, postgres = find("initdb", *FOLDERS), find("postgres", *FOLDERS)
    private = PrivateServer("postgres")
    print(f"PostgreSQL: {postgres}, port {private.port}", file=sys.stderr)
    data = str(private.folder / "data")
    private.prepare(initdb, "-D", data, "-U", "shop", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    settings = ("fsync=off", "full_page_writes=off", "max_connections=100", "listen_addresses=127.0.0.1")
    options = [part for setting in settings for part in ("-c", setting)]
    command = (postgres, "-D", data, "-p", str(private.port), "-k", str(private.folder), *options)
    with private.running(*command, ending=signal.SIGINT):  # a fast shutdown, not waiting for its clients
        yield f"postgresql://shop@127.0.0.1:{private.port}/postgres"


if __name__ == "__main__":
    run_under(server(), VARIABLE, sys.argv[1:])
