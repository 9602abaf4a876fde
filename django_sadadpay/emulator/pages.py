"""What a person sees: pay page, its results, QR image, and an overview of what happened (contract 4)."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib import import_module
from importlib.resources import files
from io import BytesIO
from string import Template
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit, urlunsplit

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from django_sadadpay.emulator import invoices, ledger, wire
from django_sadadpay.emulator.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django_sadadpay.emulator.api import Call
    from django_sadadpay.emulator.entities import Invoice
    from django_sadadpay.emulator.state import World

#: What the bank is said to have answered, by the button.
ANSWERS = {"failure": "NOT CAPTURED", "cancel": "CANCELED"}


@cache
def _template(name: str) -> Template:
    return Template(files("django_sadadpay.emulator").joinpath("templates", name).read_text("utf-8"))


def _html(name: str, values: dict[str, str], status: int = 200) -> Response:
    """``values`` are HTML already."""
    content = _template(name).substitute(values)
    page = _template("base.html").substitute(values, content=content)
    return Response(page, status, content_type="text/html; charset=utf-8")


def pay(world: World, request: Request, key: str) -> Response:
    """``/pay/{key}``: GET shows the page, POST is the buyer's choice."""
    with world.transaction():
        invoice = invoices.by_key(world, key)
        if invoice is None:
            return _message(_language(request, None), "unknown", 404)
        ledger.open_page(world, invoice)
        reason = ledger.why_not_payable(invoice)
        if reason:
            return _message(_language(request, invoice), reason, 200 if request.method == "GET" else 409)
        return _choose(world, request, invoice) if request.method == "POST" else _form(request, invoice)


def result(world: World, request: Request, key: str, ending: str) -> Response:
    """``/pay/{key}/Success`` and ``/Failed``, where a buyer stays without return URLs (contract 4)."""
    with world.transaction():
        invoice = invoices.by_key(world, key)
        if invoice is None:
            return _message(_language(request, None), "unknown", 404)
        if ending == "Success" and invoice.status not in ledger.PAID_STATUSES:
            return redirect(wire.pay_url(world, invoice), 302)
        return _message(_language(request, invoice), ending, 200, wire.pay_url(world, invoice))


def qr(world: World, key: str) -> Response:
    """The pay link as a PNG, if the small library for it is installed."""
    with world.transaction():
        invoice = invoices.by_key(world, key)
        url = wire.pay_url(world, invoice) if invoice else ""
    if not url:
        return Response("", 404)
    try:
        segno = import_module("segno")
    except ImportError:
        return Response("QR images need segno: pip install 'django-sadadpay[emulator]'", 501)
    image = BytesIO()
    segno.make(url).save(image, kind="png", scale=6)
    return Response(image.getvalue(), content_type="image/png")


def _language(request: Request, invoice: Invoice | None) -> str:
    """``?lang=``, else the invoice's own, else Arabic as at Sadad (contract 3.1)."""
    asked = request.args.get("lang") or (invoice.lang if invoice else "en")
    return "en" if asked.lower().startswith("en") else "ar"


def _choose(world: World, request: Request, invoice: Invoice) -> Response:
    method, outcome = request.form.get("method", ""), request.form.get("outcome", "")
    if method not in ledger.METHODS or outcome not in ("success", *ANSWERS):
        return Response("method or outcome is missing", 400)
    if outcome == "success":
        ledger.pay(world, invoice, method)
    else:
        ledger.fail(world, invoice, method, ANSWERS[outcome])
    return redirect(_next_url(world, invoice, paid=outcome == "success"), 302)


def _next_url(world: World, invoice: Invoice, *, paid: bool) -> str:
    """The merchant's return URL, of the invoice or of the panel, else our own result page (contract 4)."""
    settings = world.settings
    if paid:
        url = invoice.success_url or settings.success_return_url
    else:
        url = invoice.fail_url or settings.fail_return_url
    if url is None or not _is_web(url):
        return f"{wire.pay_url(world, invoice)}/{'Success' if paid else 'Failed'}"
    return _with_query(url, {"invoice_id": str(invoice.id), "payment": "success" if paid else "failed"})


def _is_web(url: str) -> bool:
    try:
        return urlsplit(url).scheme in ("http", "https")
    except ValueError:
        return False


def _with_query(url: str, extra: dict[str, str]) -> str:
    parts = urlsplit(url)
    query = "&".join(text for text in (parts.query, urlencode(extra)) if text)
    return urlunsplit(parts._replace(query=query))


def _frame(language: str) -> dict[str, str]:
    """What every page has; TEXTS holds plain text."""
    texts = {name: escape(text) for name, text in TEXTS[language].items()}
    return {**texts, "lang": language, "dir": "rtl" if language == "ar" else "ltr"}


def _money(fils: int, language: str) -> str:
    """``1,234.500 KWD`` or ``1,234.500 د.ك``, kept together whatever the direction of the page."""
    unit = TEXTS[language]["unit"]
    return f'<span class="money"><bdi>{fils // 1000:,}.{fils % 1000:03d}</bdi> <bdi>{unit}</bdi></span>'


def _form(request: Request, invoice: Invoice) -> Response:
    language = _language(request, invoice)
    frame = _frame(language)
    lines = (
        (escape(item.name), str(item.quantity), _money(item.fils * item.quantity, language))
        for item in invoice.items
    )
    values = {
        "key": escape(invoice.key),
        "code": escape(invoice.code),
        "reference": escape(invoice.ref_number),
        "amount": _money(invoice.fils, language),
        "items": _rows(lines),
        "failed": f'<p class="notice" role="status">{frame["again"]}</p>' if invoice.transactions else "",
    }
    return _html("pay.html", {**frame, **values})


def _message(language: str, text: str, status: int, link: str = "") -> Response:
    """A page with one sentence, and with the link back where paying again makes sense."""
    frame = _frame(language)
    back = (
        f'<a class="button" id="back" href="{escape(link)}">{frame["back"]}</a>' if text == "Failed" else ""
    )
    values = {"sentence": frame[text], "mark": escape(text), "back_link": back}
    return _html("message.html", {**frame, **values}, status)


def overview(world: World, calls: list[Call]) -> Response:
    """``/``: invoices with their pay links, webhook messages, the latest calls. No personal data."""
    with world.transaction():
        tables = {
            "invoices": _invoice_rows(world),
            "webhooks": _webhook_rows(world),
            "calls": _call_rows(calls),
        }
    return _html("overview.html", {**_frame("en"), **tables})


def _invoice_rows(world: World) -> str:
    return _rows(
        (
            f'<a href="/pay/{escape(row.key)}">{row.code}</a>',
            escape(row.ref_number),
            _money(row.fils, "en"),
            escape(row.status),
            _money(row.refunded_fils, "en"),
        )
        for row in reversed(list(world.invoices.values())[-200:])
    )


def _webhook_rows(world: World) -> str:
    return _rows(
        (str(row.id), f"INV-{row.invoice_id:05d}", row.state, str(row.tries), str(row.last_status or ""))
        for row in reversed(world.webhooks[-50:])
    )


def _call_rows(calls: list[Call]) -> str:
    return _rows(
        (
            f"{call.at:%H:%M:%S}",
            call.endpoint,
            str(call.status or "cut"),
            escape(call.error_key or ""),
            ", ".join(call.faults),
        )
        for call in reversed(calls[-100:])
    )


def _rows(rows: Iterable[tuple[str, ...]]) -> str:
    """Table rows; the cells are HTML already."""
    return "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
