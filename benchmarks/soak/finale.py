"""When the faults have stopped: the live workers finish, then three reconcile runs, days later each.

All of the shop's processes are stopped before its clock is moved, and started with the new time: no two of
them ever disagree about it. Sadad's clock moves by the same.
"""

from __future__ import annotations

import time

import requests

from benchmarks.soak.hurry import SHIFT
from benchmarks.soak.processes import Stack
from example_project.demo.control import Sadad

#: Seconds for the live workers to finish what is due.
PATIENCE = 240.0
#: Past all that is counted in hours or days: refunds are looked at for 72 h, orphans for 7 days after expiry.
STEP = 100 * 3600.0
RUNS = 3
#: Kinds of work that come due again by their schedule until Sadad says something else.
AGAIN = {"invoice", "refund"}
#: More than any run needs.
CALLS, SECONDS = 1_000_000, 1800


def drain(sadad: Sadad) -> dict[str, int]:
    """Wait until webhooks have come and been handled; what is due then, or when patience ends, by kind.

    Invoices that nobody paid and refunds of which nothing is known come due again and again: the three runs
    go on with them.
    """
    from django_sadadpay.services import clock, reconcile

    until, calm = time.monotonic() + PATIENCE, 0
    left: dict[str, int] = {}
    while calm < 3 and time.monotonic() < until:
        left = {name: count for name, count in reconcile.pending(clock.now()).items() if count}
        left |= _on_the_way(sadad)
        calm = 0 if set(left) - AGAIN else calm + 1
        time.sleep(1)
    return left


def _on_the_way(sadad: Sadad) -> dict[str, int]:
    from django_sadadpay.models import WebhookEvent

    working = WebhookEvent.objects.filter(state=WebhookEvent.State.WORKING).count()
    waiting = sum(row["state"] == "waiting" for row in sadad.see("webhooks"))
    return {
        name: count for name, count in (("events at work", working), ("webhooks to come", waiting)) if count
    }


def later(stack: Stack) -> list[str]:
    """Three runs, each ``STEP`` seconds after the last; what each said. The shop has been stopped before.

    A run is as many processes as the stack has workers: they share the work, as machines would.
    """
    from django_sadadpay.management.commands.sadadpay_reconcile import line
    from django_sadadpay.services import clock, reconcile

    said = []
    for turn in range(1, RUNS + 1):
        advance(stack, STEP)
        clock.shift(STEP)  # this process looks at the books with the shop's clock, and works too
        env, budget = {SHIFT: str(turn * STEP)}, ("--max-calls", str(CALLS), "--max-seconds", str(SECONDS))
        others = [stack.command("sadadpay_reconcile", *budget, env=env) for _ in range(stack.workers - 1)]
        said.append(line(reconcile.run(max_calls=CALLS, max_seconds=SECONDS)))
        said += [_last_line(run.communicate()[0]) for run in others]
    return said


def advance(stack: Stack, seconds: float) -> None:
    """Sadad's clock."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(f"{stack.emulator_url}/control/advance", json={"seconds": seconds}, timeout=30)
        answer.raise_for_status()


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith(("reconcile:", "CommandError"))]
    return lines[-1] if lines else text[-300:]
