"""The stand-in's own first page: what there is, what was called, how well each endpoint is known."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from django_sadadpay.emulator import layout, objects
from django_sadadpay.emulator.api import Tally
from django_sadadpay.emulator.routes import ROUTES

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from django_sadadpay.emulator.api import Api, Call
    from django_sadadpay.emulator.state import World

#: The kinds of objects that payers open; ``server.PAGES`` has them by these names in lower case.
WITH_A_PAGE = ("PaymentLink", "ProductLink", "InstallmentPlan", "SubscriptionLink")


def overview(world: World, api: Api) -> Response:
    """``/``: invoices with pay links, webhook messages, endpoints, the latest calls. No personal data."""
    with world.transaction():
        tables = {
            "invoices": _invoice_rows(world),
            "links": _link_rows(world),
            "webhooks": _webhook_rows(world),
            "endpoints": _endpoint_rows(api.tallies),
            "calls": _call_rows(list(api.log)),
        }
    return layout.render("overview.html", {**layout.frame("en"), **tables})


def _invoice_rows(world: World) -> str:
    return layout.rows(
        (
            f'<a href="/pay/{escape(row.key)}">{row.code}</a>',
            escape(row.ref_number),
            layout.money(row.fils, "en"),
            escape(row.status),
            layout.money(row.refunded_fils, "en"),
        )
        for row in reversed(list(world.invoices.values())[-200:])
    )


def _link_rows(world: World) -> str:
    """What a payer may open besides an invoice, the latest first; the addresses are ours."""
    return layout.rows(
        (f'<a href="/{kind.lower()}/{escape(row.key)}">{escape(row.code)}</a>', kind)
        for kind in WITH_A_PAGE
        for row in reversed(objects.rows(world, kind)[-50:])
    )


def _webhook_rows(world: World) -> str:
    return layout.rows(
        (str(row.id), f"INV-{row.invoice_id:05d}", row.state, str(row.tries), str(row.last_status or ""))
        for row in reversed(world.webhooks[-50:])
    )


def _endpoint_rows(tallies: dict[str, Tally]) -> str:
    """Every endpoint, also what was never called; counted since the start, not only over the log."""
    pairs = ((route, tallies.get(route.name, Tally())) for route in ROUTES)
    return layout.rows(
        (
            route.verb,
            route.name,
            route.evidence,
            str(tally.calls),
            str(tally.status or "cut") if tally.calls else "",
            escape(tally.error_key or ""),
        )
        for route, tally in sorted(pairs, key=lambda pair: pair[0].name.lower())
    )


def _call_rows(calls: list[Call]) -> str:
    return layout.rows(
        (
            f"{call.at:%H:%M:%S}",
            call.endpoint,
            str(call.status or "cut"),
            escape(call.error_key or ""),
            ", ".join(call.faults),
        )
        for call in reversed(calls[-100:])
    )
