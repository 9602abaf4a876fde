"""``python -m benchmarks [--quick] [--database NAME]``. Compare ratios between machines, never rates.

``python -m benchmarks soak`` is another thing: see ``benchmarks/soak``.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers import postgres


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int
    repeats: int
    reconciled: int
    rows: tuple[int, ...]
    pulled: int
    pushed: int


QUICK = Size(rounds=4, repeats=5, reconciled=10, rows=(1_000, 20_000), pulled=2_000, pushed=160)
FULL = Size(rounds=10, repeats=15, reconciled=100, rows=(1_000, 20_000), pulled=20_000, pushed=800)


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["soak"]:
        from benchmarks.soak.__main__ import main as soak  # only this needs gunicorn

        return soak(arguments[1:])
    options = _options(arguments)
    with ExitStack() as stack:
        os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
        os.environ["SADADPAY_BENCH_DATABASE"] = options.database
        if options.peers:
            os.environ["SADADPAY_BENCH_PEERS"] = "1"
        if options.database == "postgres" and postgres.VARIABLE not in os.environ:
            os.environ[postgres.VARIABLE] = stack.enter_context(postgres.server())
        data = _run(options, QUICK if options.quick else FULL)
    return 0 if data else 1


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short form: under 20 seconds")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--rounds", type=int, help="how often each operation has its turn")
    parser.add_argument("--rows", type=int, nargs="+", help="sizes of the invoice table for the lists")
    parser.add_argument("--pulled", type=int, help="how many objects are pulled")
    parser.add_argument(
        "--memory",
        type=int,
        nargs="+",
        metavar="OBJECTS",
        help="also the peak of memory in pulls of such sizes",
    )
    parser.add_argument(
        "--peers",
        action="store_true",
        help="dj-stripe too, which must be installed; its tables take a minute",
    )
    parser.add_argument("--json", type=Path, help="where to write the figures, instead of benchmarks/results")
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace, size: Size) -> dict[str, Any]:
    import django

    django.setup()
    from django.test.utils import setup_databases, setup_test_environment, teardown_databases

    from benchmarks import report

    setup_test_environment(debug=False)
    database = setup_databases(verbosity=0, interactive=False)
    try:
        data = _measure(options, size)
    finally:
        teardown_databases(database, verbosity=0)
    report.show(data)
    form = "quick" if options.quick else "full"
    report.keep(data, options.json or report.FOLDER / f"{options.database}-{form}.json")
    return data


def _measure(options: argparse.Namespace, size: Size) -> dict[str, Any]:
    from benchmarks import peer, report, stub, sync
    from benchmarks.cases import cases
    from benchmarks.floor.cases import floors
    from benchmarks.lists import measure_lists
    from benchmarks.measuring import measure

    plain, rounds = floors(), options.rounds or size.rounds
    # First, while there is nothing else in the tables; the operations then meet a table of that size.
    pages = measure_lists(options.rows or list(size.rows), rounds)
    with stub.installed() as sadad:
        ours = cases(sadad, reconciled=size.reconciled)
        results = measure([*plain, *ours], rounds, size.repeats)
    mirrors = sync.measure_sync(options.pulled or size.pulled, size.pushed)
    peers = peer.measure_peer(min(size.pulled // 10, 500)) if options.peers else []
    return {
        "circumstances": report.circumstances({"stored invoices": max(pages), "quick": options.quick}),
        "operations": report.rows(results[: len(plain)], results[len(plain) :]),
        "lists": report.list_rows(pages),
        "mirrors": [*mirrors, *peers],
        "memory": sync.measure_memory(options.memory or []),
        "migrations": [sync.measure_migrate(app) for app in ["sadadpay", *(["djstripe"] if peers else [])]],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
