"""The emulator as a process of the soak: it counts the faults that struck and keeps every refund call.

``/control/tally`` and ``/control/inserts`` show both. The world stays in memory: a state file of thousands of
invoices, written at each change, would take the machine.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections import Counter, deque
from dataclasses import asdict

from django_sadadpay.emulator import Emulator, control_http
from django_sadadpay.emulator.api import Call
from django_sadadpay.emulator.faults import Fault, Faults
from django_sadadpay.emulator.routes import ROUTES
from django_sadadpay.emulator.webhooks import Postman

#: Webhook messages under way at the same moment; the emulator alone sends one after the other.
POSTMEN = 6


class Tallied(Faults):
    """Counts what it hands out, by kind."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, [route.name for route in ROUTES])
        self.tally: Counter[str] = Counter()

    def take(self, endpoint: str, *, authenticated: bool = True) -> tuple[Fault, ...]:
        taken = super().take(endpoint, authenticated=authenticated)
        with self._lock:
            self.tally.update(fault.kind for fault in taken)
        return taken


class Journal(deque[Call]):
    """The last calls, as in the emulator's own log, and every Refund/insert since the start."""

    def __init__(self, size: int) -> None:
        super().__init__(maxlen=size)
        self.inserts: list[Call] = []
        self.calls = 0

    def append(self, call: Call) -> None:
        self.calls += 1
        if call.endpoint == "Refund/insert":
            self.inserts.append(call)
        super().append(call)


def main(arguments: list[str]) -> int:
    """Run until SIGTERM."""
    options = _parser().parse_args(arguments)
    emulator = Emulator(
        port=options.port,
        webhook_url=options.webhook_url,
        webhook_interval=options.webhook_interval,
        webhook_timeout=3.0,
        access_token_seconds=900,
        seed=options.seed,
    )
    faults, journal = Tallied(options.seed), Journal(size=1000)
    emulator.world.faults, emulator.api.log = faults, journal
    control_http.READS["tally"] = lambda _control: {"faults": dict(faults.tally), "calls": journal.calls}
    control_http.READS["inserts"] = lambda _control: [asdict(call) for call in journal.inserts]
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    with emulator:
        helpers = [Postman(emulator.world) for _ in range(POSTMEN - 1)]
        for one in helpers:
            one.start()
        asked.wait()
        for one in helpers:
            one.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak.sadad", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--webhook-url", required=True)
    parser.add_argument("--webhook-interval", type=float, default=18.0)
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
