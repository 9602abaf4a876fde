"""``./run bench soak``: a shop under fire for a while, then both sides are audited. 0 only if all is well."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from benchmarks.soak import faults, report
from benchmarks.soak.buyers import Buyers
from benchmarks.soak.kills import Killer
from benchmarks.soak.load import Desk, Load, Plan, Tally
from benchmarks.soak.memory import Memory
from benchmarks.soak.processes import Stack, servers
from benchmarks.soak.staff import Staff
from example_project.demo.control import Sadad


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _leave)
    with _folder(options.keep) as folder:
        data = run(options, folder)
    report.show(data)
    report.keep(data, options.json)
    return 0 if report.is_good(data) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run bench soak", description=__doc__)
    parser.add_argument("--payments", type=int, default=10_000, help="(%(default)s)")
    parser.add_argument("--rate", type=float, default=10.0, help="visits a second, at most (%(default)s)")
    parser.add_argument("--minutes", type=float, default=180.0, help="buy no longer than this (%(default)s)")
    parser.add_argument(
        "--faults", type=float, default=0.05, help="probability of each kind at each call (%(default)s)"
    )
    parser.add_argument("--kills", type=int, default=9, help="processes that are killed (%(default)s)")
    parser.add_argument(
        "--workers", type=int, default=2, help="of gunicorn, and nodes of Celery (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the faults and the buyers (%(default)s)")
    parser.add_argument("--keep", type=Path, help="a folder for the logs, which stays")
    parser.add_argument("--json", type=Path, default=report.FILE, help="the figures (%(default)s)")
    return parser


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The whole soak; everything that it started is stopped at the end."""
    with Stack(folder, options.seed, options.workers).running() as stack:
        os.environ.update(stack.env)  # this process looks into the shop's database, as the shop's own do
        import django

        django.setup()
        return _soak(options, stack)


def _soak(options: argparse.Namespace, stack: Stack) -> dict[str, Any]:
    from benchmarks.soak import audit, finale, gather, hurry

    sadad, tally = Sadad(stack.emulator_url), Tally()
    for place, kind, chosen in faults.wanted(options.faults):
        sadad.fault(place, kind, **chosen)
    memory, killer, seconds = _load(options, stack, tally)
    sadad.no_more_faults()
    say("faults have stopped; the workers finish")
    left = finale.drain(sadad)
    stack.stop_shop()
    say(f"left over: {left or 'nothing'}; three reconcile runs, 100 hours apart")
    runs = finale.later(stack)
    ours, theirs = gather.ours(), gather.theirs(sadad)
    findings = audit.audit(ours, theirs)
    tallied = sadad.see("tally")
    rows = memory.rows(tally["payments"])
    facts = {"command": _command(options), "time_divided_by": hurry.FACTOR, "workers": options.workers}
    return {
        "circumstances": report.circumstances(facts),
        "load": {
            "seconds": round(seconds, 1),
            "payments_a_second": round(tally["payments"] / seconds, 2),
            "calls_of_sadad": tallied["calls"],
            **tally.all(),
        },
        "books": report.books_rows(ours, theirs),
        "faults": {**dict(sorted(tallied["faults"].items())), "all": sum(tallied["faults"].values())},
        "kills": {"killed": killer.done, "started again by us": killer.revived},
        "left_when_faults_stopped": left,
        "reconcile_runs": runs,
        "memory": rows,
        **report.verdict(findings, rows, tally["payments"]),
    }


def _command(options: argparse.Namespace) -> str:
    """What it can be done again with; folders are this machine's."""
    chosen = {
        name: getattr(options, name) for name in ("payments", "rate", "minutes", "faults", "kills", "seed")
    }
    return " ".join(["./run bench soak", *(f"--{name} {value:g}" for name, value in chosen.items())])


def _load(options: argparse.Namespace, stack: Stack, tally: Tally) -> tuple[Memory, Killer, float]:
    desk = Desk()
    buyers = Buyers(stack.shop_url, stack.webhook_url, stack.emulator_url, tally, desk)
    staff = Staff(stack.shop_url, stack.emulator_url, stack.password, tally, desk)
    plan = Plan(options.payments, options.rate, options.minutes * 60, options.seed)
    memory = Memory(stack.programs, servers(), lambda: tally["payments"])
    began = time.monotonic()

    def part() -> float:
        """How much of the run is over, whether payments or minutes end it."""
        return max(tally["payments"] / plan.payments, (time.monotonic() - began) / plan.seconds)

    killer = Killer(stack, options.kills, options.seed, part)
    say(f"{options.payments} payments, {options.faults:.0%} of each fault, {options.kills} kills")
    memory.start()
    killer.start()
    try:
        seconds = _told(Load(plan, tally, desk, buyers.visit, staff.refund), tally)
    finally:
        killer.stop()
        memory.stop()
    return memory, killer, seconds


def _told(load: Load, tally: Tally) -> float:
    """Run it; a line for each tenth of the payments."""
    step = max(1, load.plan.payments // 10)
    began, seen = time.monotonic(), 0
    visit = load.visit

    def told(source: Any) -> None:
        nonlocal seen
        visit(source)
        done = tally["payments"] // step
        if done > seen:
            seen = done
            say(f"{tally['payments']} payments after {time.monotonic() - began:.0f} s")

    load.visit = told
    return load.run()


def say(text: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S}", text, file=sys.stderr, flush=True)


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="sadadpay-soak-") as own:
        yield Path(own)


def _leave(number: int, _frame: Any) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
