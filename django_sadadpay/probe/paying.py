"""What only a payment shows: a person pays a small invoice of the probe, and gets the money back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django_sadadpay.gateway.records import InvoiceRecord
from django_sadadpay.probe.comparing import compare
from django_sadadpay.probe.model import Id, Step, Unmade
from django_sadadpay.probe.refunding import PAID, refund

if TYPE_CHECKING:
    from django_sadadpay.gateway.endpoints import Endpoint
    from django_sadadpay.gateway.envelope import Reply
    from django_sadadpay.probe.runner import Runner


def act(runner: Runner, step: Step) -> None:
    """Wait for the payment, or refund it.

    :raises Unmade: nobody paid.
    """
    if step.act == "paid":
        _paid(runner, step)
    else:
        _refund(runner, step)


def _paid(runner: Runner, step: Step) -> None:
    """Look again and again until it is paid; then everything that a paid invoice shows is compared."""
    thing = runner.things[step.reads]
    options = runner.options
    row = runner.caller.endpoints[step.endpoint]
    address = _pay_link(runner, InvoiceRecord.from_wire(thing.raw, row.reply).url, thing.key)
    runner.say(f"PAY {options.amount} KWD HERE within {options.wait:.0f} s: {address}")
    until = time.monotonic() + options.wait
    while True:
        reply = runner.sent(step, {"id": thing.id})
        if reply is not None and _is_paid(row, reply):
            break
        if time.monotonic() >= until:
            raise Unmade(f"nobody paid within {options.wait:.0f} s")
        runner.caller.sleep(options.poll)
    runner.add(compare(runner.place(step), reply, step.expect))
    thing.raw = reply.response
    runner.things[step.makes] = thing


def _pay_link(runner: Runner, url: str, key: str) -> str:
    try:
        return url or runner.caller.client.pay_url_for(key)
    except ValueError:
        raise Unmade("nothing to pay: the invoice shows neither its address nor its key") from None


def _is_paid(row: Endpoint, reply: Reply) -> bool:
    if reply.lost or reply.failed or not isinstance(reply.response, dict):
        return False
    return InvoiceRecord.from_wire(reply.response, row.reply).status in PAID


def _refund(runner: Runner, step: Step) -> None:
    """Once. Without a usable answer nothing is sent again: cleaning up looks at the invoice."""
    label = next(value.label for value in step.values.values() if isinstance(value, Id))
    entry = runner.journal.entries[runner.things[label].mark]
    reply = refund(runner.caller, runner.journal, entry)
    if reply is None:
        place = runner.place(step)
        advice = "look at the invoice's refunded amount; it is never asked for twice"
        runner.add([place.finding("no_answer", "an answer", "no answer", evidence="doc", advice=advice)])
    else:
        runner.add(compare(runner.place(step), reply, step.expect))
