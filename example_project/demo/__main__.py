"""``python -m example_project.demo [--check] [--fresh]``, which is what ``./run demo`` starts."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from example_project.demo.program import ProgramError
from example_project.demo.stack import ROOT, Stack, folder_of_our_own, sandbox_wanted

FOLDER = ROOT / ".demo"
PORT = 8000  # where people look first; another one when it is taken

TRY = """
  1  Buy something and pay: on the pay page choose success, by KNET or card.
  2  Buy again and choose failure; your order offers another try.
  3  Switch to Arabic (العربية, at the top) and buy once more.
  4  In the admin open an order, its invoice, "Refund": give part of it back, then look at the order's page.
  5  Open the coffee box, subscribe, pay the first bill; then "A month later" brings the next one.
  6  Under "Courses" open the payment link and pay it; make another in the admin, under "Payment links".
  7  Change a price in the admin, under "Shop", and see at {emulator}/ that Sadad was told.
  8  Let a webhook get lost and watch the worker find the payment within two minutes:
     curl -d '{{"endpoint": "webhook", "kind": "drop", "times": 1}}' {emulator}/control/faults
"""
TRY_SANDBOX = """
  Your keys go to Sadad's sandbox. Its webhooks cannot reach 127.0.0.1: the buyer's return or the worker finds
  each payment. The shop's catalogue, box and course are made in your sandbox account.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 when all went well, 1 when a program or a step failed."""
    chosen = _parser().parse_args(arguments)
    folder = chosen.folder.resolve()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        return _check(folder) if chosen.check else _demo(folder, chosen.fresh, chosen.port)
    except ProgramError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped")
        return 130 if chosen.check else 0  # a check that was broken off has not seen everything


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run demo", description="The example shop, ready to buy in.")
    parser.add_argument(
        "--check", action="store_true", help="walk through it without a person; 0 if all was seen"
    )
    parser.add_argument("--fresh", action="store_true", help="forget what an earlier demo stored")
    parser.add_argument("--port", type=int, default=PORT, help="of the shop, if it is free (%(default)s)")
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="where everything is written (%(default)s)"
    )
    return parser


def _leave(number: int, _frame: Any) -> NoReturn:
    raise SystemExit(128 + number)


def _demo(folder: Path, fresh: bool, port: int) -> int:
    with folder_of_our_own(folder, fresh=fresh, keep=("check",)):
        print("starting …", flush=True)
        stack = Stack(folder, beat=5, webhook_interval=10, sandbox=sandbox_wanted(), shop_port=port)
        with stack:
            _say_what_there_is(stack)
            return _watch(stack)


def _say_what_there_is(stack: Stack) -> None:
    rows = {
        "Shop": f"{stack.shop_url}/",
        "Staff": f"{stack.shop_url}/admin/   user admin, password {stack.password}",
        "Sadad": "the real sandbox"
        if stack.sandbox
        else f"{stack.emulator_url}/   (an emulator; no money moves)",
        "Logs": f"{stack.folder / 'logs'}",
    }
    print("\n".join(f"{name:<6} {value}" for name, value in rows.items()))
    print(TRY_SANDBOX if stack.sandbox else TRY.format(emulator=stack.emulator_url))
    print("Ctrl-C stops everything; orders are kept until --fresh.", flush=True)


def _watch(stack: Stack) -> int:
    while True:
        ended = stack.ended()
        if ended is not None:
            raise ProgramError(f"{ended.name} has ended by itself\n{ended.tail()}")
        time.sleep(0.5)


def _check(folder: Path) -> int:
    from example_project.demo import check

    with folder_of_our_own(folder / "check", fresh=True) as own:
        return check.run(Stack(own, beat=1, webhook_interval=1))


if __name__ == "__main__":
    sys.exit(main())
