"""``python -m django_sadadpay.emulator``: the stand-in on the command line."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from typing import TYPE_CHECKING

from django_sadadpay.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Sequence

EPILOG = """\
Answers every documented endpoint. Its first page says how well the body of each is known: of many, Sadad
documents the path only, and what this answers there is assumed.
"""


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        prog="python -m django_sadadpay.emulator",
        description="A stateful stand-in for SadadPay: API, pay page, webhooks. No money moves.",
        epilog=EPILOG,
    )
    options.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    options.add_argument("--port", type=int, default=8765, help="0 takes a free one (default: %(default)s)")
    options.add_argument("--webhook-url", help="where payments are reported; none are sent without it")
    options.add_argument(
        "--webhook-interval",
        type=float,
        default=180.0,
        help="seconds between two tries (default: %(default)s)",
    )
    options.add_argument("--state", metavar="FILE", help="keep the world in this file over restarts")
    options.add_argument(
        "--seed", type=int, default=0, help="what looks random follows it (default: %(default)s)"
    )
    options.add_argument("--key", default="ck_emulator", help="client key to accept (default: %(default)s)")
    options.add_argument(
        "--secret", default="cs_emulator", help="client secret to accept (default: %(default)s)"
    )
    return options


def main(arguments: Sequence[str] | None = None, stop: threading.Event | None = None) -> int:
    """Run until SIGINT, SIGTERM or ``stop``. Gives the exit status: 1 when the port is taken."""
    chosen = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    emulator = Emulator(
        port=chosen.port,
        host=chosen.host,
        webhook_url=chosen.webhook_url,
        webhook_interval=chosen.webhook_interval,
        state_file=chosen.state,
        seed=chosen.seed,
        client_key=chosen.key,
        client_secret=chosen.secret,
    )
    asked = stop or _on_signals()
    try:
        emulator.start()
    except OSError as error:
        sys.stderr.write(f"cannot listen on {chosen.host}:{chosen.port}: {error.strerror}\n")
        return 1
    _announce(emulator)
    asked.wait()
    emulator.stop()
    return 0


def _on_signals() -> threading.Event:
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    return asked


def _announce(emulator: Emulator) -> None:
    sys.stdout.write(
        f"SadadPay emulator: {emulator.base_url}/\n"
        f"  API_URL  {emulator.api_url}\n"
        f"  PAY_URL  {emulator.pay_url}\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
