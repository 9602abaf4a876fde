"""What a person sees: pay page, its results and QR image (contract 4)."""

from __future__ import annotations

from html import escape
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit, urlunsplit

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from django_sadadpay.emulator import invoices, layout, ledger, wire

if TYPE_CHECKING:
    from django_sadadpay.emulator.entities import Invoice
    from django_sadadpay.emulator.state import World

#: What the bank is said to have answered, by the button.
ANSWERS = {"failure": "NOT CAPTURED", "cancel": "CANCELED"}


def pay(world: World, request: Request, key: str) -> Response:
    """``/pay/{key}``: GET shows the page, POST is the buyer's choice."""
    with world.transaction():
        invoice = invoices.by_key(world, key)
        if invoice is None:
            return layout.message(_language(request, None), "unknown", 404)
        ledger.open_page(world, invoice)
        reason = ledger.why_not_payable(invoice)
        if reason:
            return layout.message(
                _language(request, invoice), reason, 200 if request.method == "GET" else 409
            )
        return _choose(world, request, invoice) if request.method == "POST" else _form(request, invoice)


def result(world: World, request: Request, key: str, ending: str) -> Response:
    """``/pay/{key}/Success`` and ``/Failed``, where a buyer stays without return URLs (contract 4)."""
    with world.transaction():
        invoice = invoices.by_key(world, key)
        if invoice is None:
            return layout.message(_language(request, None), "unknown", 404)
        if ending == "Success" and invoice.status not in ledger.PAID_STATUSES:
            return redirect(wire.pay_url(world, invoice), 302)
        return layout.message(_language(request, invoice), ending, 200, wire.pay_url(world, invoice))


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
    return layout.language(asked)


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


def _form(request: Request, invoice: Invoice) -> Response:
    language = _language(request, invoice)
    frame = layout.frame(language)
    lines = (
        (escape(item.name), str(item.quantity), layout.money(item.fils * item.quantity, language))
        for item in invoice.items
    )
    values = {
        "key": escape(invoice.key),
        "code": escape(invoice.code),
        "reference": escape(invoice.ref_number),
        "amount": layout.money(invoice.fils, language),
        "items": layout.rows(lines),
        "failed": f'<p class="notice" role="status">{frame["again"]}</p>' if invoice.transactions else "",
    }
    return layout.render("pay.html", {**frame, **values})
