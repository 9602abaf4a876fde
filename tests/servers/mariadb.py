"""A private MariaDB: ``python -m tests.servers.mariadb -- COMMAND…``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers.private import PrivateServer, find, run_under

VARIABLE = "SADADPAY_TEST_MARIADB"
ZONES = {
    "UTC": "Etc/UTC",
    "Asia/Kuwait": "Asia/Kuwait",
}  # Django converts dates by zone name


@contextmanager
def server() -> Iterator[str]:
    """The URL of a fresh server, which is stopped and removed at the end."""
    install, mariadbd = find("mariadb-install-db"), find("mariadbd")
    private = PrivateServer("mariadb")
    print(f"MariaDB: {mariadbd}, port {private.port}", file=sys.stderr)
    folder, data = private.folder, f"--datadir={private.folder / 'data'}"
    (folder / "start.sql").write_text(_start_sql())
    private.prepare(
        install, "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db"
    )
    options = (
        f"--port={private.port}",
        "--bind-address=127.0.0.1",
        f"--socket={folder / 'socket'}",
        f"--pid-file={folder / 'pid'}",
        f"--init-file={folder / 'start.sql'}",
        "--character-set-server=utf8mb4",
        "--innodb-flush-log-at-trx-commit=0",
        "--skip-name-resolve",
    )
    with private.running(mariadbd, "--no-defaults", data, *options):
        yield f"mysql://root@127.0.0.1:{private.port}/shop"


def _start_sql() -> str:
    loader = find("mariadb-tzinfo-to-sql")
    zones = "".join(
        subprocess.run(
            [loader, f"/usr/share/zoneinfo/{file}", zone], check=True, capture_output=True, text=True
        ).stdout
        for zone, file in ZONES.items()
    )
    return f"USE mysql;\n{zones}"


if __name__ == "__main__":
    run_under(server(), VARIABLE, sys.argv[1:])
