"""The Refund endpoints (contract 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django_sadadpay.emulator import invoices, ledger, listing, wire
from django_sadadpay.emulator.binding import Fields
from django_sadadpay.emulator.protocol import Refusal, Route, wrong_object

if TYPE_CHECKING:
    from collections.abc import Callable

    from django_sadadpay.emulator.entities import Refund
    from django_sadadpay.emulator.protocol import ApiRequest
    from django_sadadpay.emulator.state import World


def insert(world: World, request: ApiRequest) -> dict[str, Any]:
    """All four fields are needed (assumed); the amount is KWD, whatever the invoice shows (contract 6.1)."""
    fields = Fields(request.body)
    if fields.text("refund_Type") != "DeductFromBalance":
        raise wrong_object("refund_Type", "DeductFromBalance was expected.")
    if fields.text("currency_Code").upper() != "KWD":
        raise Refusal("InvalidCurrencyCode")
    invoice = invoices.find(world, fields.integer("invoice_Id"))
    row = ledger.refund(world, invoice, fields.fils("amount", "InvalidRefundAmount"), "api")
    return {"refund_Id": _shown_id(world, row)}


def _shown_id(world: World, row: Refund) -> bool | int | str:
    """The documented sample really has ``true`` (contract 6.1); the other forms try a client."""
    forms: dict[str, bool | int | str] = {"true": True, "number": row.id, "text": str(row.id), "empty": ""}
    return forms[world.settings.refund_id]


def getall(world: World, request: ApiRequest) -> list[dict[str, Any]]:
    """Every field of a row is assumed: only the path is known (contract 6.2). Newest first."""
    page = listing.page(world.refunds, request, filters=FILTERS, sorts=SORTS)
    return [{**_row(row), **extra} for row, extra in page]


def _row(row: Refund) -> dict[str, Any]:
    return {
        "id": row.id,
        "invoice_Id": row.invoice_id,
        "amount": wire.number(row.fils),
        "status": row.status,
        "refund_Type": "DeductFromBalance",
        "currency_Code": "KWD",
        "createDate": wire.date_text(row.created_at),
    }


FILTERS: dict[str, Callable[[Refund, str], bool]] = {
    "invoiceid": lambda row, wanted: wanted.strip() == str(row.invoice_id),
}

SORTS: dict[str, Callable[[Refund], Any]] = {
    "id": lambda row: row.id,
    "amount": lambda row: row.fils,
    "createdate": lambda row: row.created_at,
}

ROUTES = (
    Route("Refund/getall", "GET", handler=getall),
    Route("Refund/insert", "POST", handler=insert, reads_body=True, evidence="doc"),
)
