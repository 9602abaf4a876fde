"""getall: filters and paging (contract 3.4). How a filter compares is assumed and said beside each."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from django_sadadpay.emulator import binding, drafts, wire
from django_sadadpay.emulator.binding import Fields
from django_sadadpay.emulator.protocol import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from django_sadadpay.emulator.entities import Invoice
    from django_sadadpay.emulator.protocol import ApiRequest
    from django_sadadpay.emulator.state import World

    Test = Callable[[Invoice, str], bool]

T = TypeVar("T")

DAY = 86400


def _contains(read: Callable[[Invoice], str]) -> Test:
    return lambda row, wanted: wanted.lower() in read(row).lower()


def _equals(read: Callable[[Invoice], str]) -> Test:
    return lambda row, wanted: wanted.lower() == read(row).lower()


def _fils(text: str) -> Decimal:
    return (Fields({"amount": text}).decimal("amount") or Decimal(0)) * 1000


#: Parameter, without case and underscores (SadadPay's own names may carry them) → whether a row passes.
FILTERS: dict[str, Test] = {
    "code": _contains(lambda row: row.code),
    "refnumber": _contains(lambda row: row.ref_number),
    "customername": _contains(lambda row: row.customer_name),
    "customermobile": _contains(lambda row: row.customer_mobile),
    "customeremail": _contains(lambda row: row.customer_email),
    "status": _equals(lambda row: row.status),
    "invoicetype": _equals(lambda row: row.type),
    "paymentmethod": _equals(lambda row: row.gateway_code or ""),
    "createdatefrom": lambda row, text: row.created_at >= drafts.read_date(text),
    "createdateto": lambda row, text: row.created_at < drafts.read_date(text) + DAY,
    "expirydatefrom": lambda row, text: row.expires_at >= drafts.read_date(text),
    "expirydateto": lambda row, text: row.expires_at < drafts.read_date(text) + DAY,
    "amountfrom": lambda row, text: row.fils >= _fils(text),
    "amountto": lambda row, text: row.fils <= _fils(text),
}

SORTS: dict[str, Callable[[Invoice], Any]] = {
    "id": lambda row: row.id,
    "amount": lambda row: row.fils,
    "createdate": lambda row: row.created_at,
    "expirydate": lambda row: row.expires_at,
}


def invoices(world: World, request: ApiRequest) -> list[dict[str, Any]]:
    """The rows asked for, newest first. None at all is EmptyResult (contract 3.4)."""
    kept = [row for row in world.invoices.values() if world.settings.list_deleted or not row.deleted]
    found = page(kept, request, filters=FILTERS, sorts=SORTS, unless_asked={"invoicetype": "Invoice"})
    return [{**_row(row), **extra} for row, extra in found]


def page(
    rows: Iterable[T],
    request: ApiRequest,
    *,
    filters: Mapping[str, Callable[[T, str], bool]],
    sorts: Mapping[str, Callable[[T], Any]],
    unless_asked: Mapping[str, str] | None = None,
) -> list[tuple[T, dict[str, Any]]]:
    """The rows asked for, newest first, each with what paging adds to it. Raises EmptyResult.

    ``filters`` and ``sorts`` are named without case and underscores; ``sorts`` has "id". ``unless_asked`` are
    the filters that hold when the query does not name them.
    """
    options = list_options(request)
    chosen = _chosen(rows, request, filters, unless_asked or {})
    return paged(sorted(chosen, key=_sort_key(options, sorts), reverse=_descending(options)), options)


def paged(rows: Sequence[T], options: Fields | None) -> list[tuple[T, dict[str, Any]]]:
    """The rows of the page, each with what paging adds to it: ``totalCount``. Raises EmptyResult."""
    part = rows
    if options is not None and not options.flag("loadingAll"):
        start = max(options.integer("skip"), 0)
        part = rows[start : start + (options.integer("take") or 20)]
    if not part:
        raise Refusal("EmptyResult", is_valid=True)
    return [(row, {} if options is None else {"totalCount": len(rows)}) for row in part]


def list_options(request: ApiRequest) -> Fields | None:
    """``listOptions``: JSON text in the query; without it the whole list comes."""
    text = None if "ignore_paging" in request.faults else parameters(request.query).get("listoptions")
    return Fields(binding.parse(text.encode()), "listOptions") if text else None


def parameters(query: Mapping[str, str]) -> dict[str, str]:
    """The query by name without case and underscores, empty ones left out."""
    return {plain_name(name): value for name, value in query.items() if value.strip()}


def plain_name(name: str) -> str:
    """``customer_Name`` as ``customername``."""
    return name.lower().replace("_", "")


def _chosen(
    rows: Iterable[T],
    request: ApiRequest,
    filters: Mapping[str, Callable[[T, str], bool]],
    unless_asked: Mapping[str, str],
) -> list[T]:
    if "ignore_filter" in request.faults:
        return list(rows)
    wanted = {**unless_asked, **parameters(request.query)}
    tests = [(filters[name], value) for name, value in wanted.items() if name in filters]
    return [row for row in rows if all(test(row, value) for test, value in tests)]


def _sort(options: Fields | None) -> Fields:
    return Fields((options.raw("sort") if options else None) or {}, "sort")


def _sort_key(options: Fields | None, sorts: Mapping[str, Callable[[T], Any]]) -> Callable[[T], Any]:
    """By id where the selector is missing or not known here."""
    return sorts.get(plain_name(_sort(options).text("selector")), sorts["id"])


def _descending(options: Fields | None) -> bool:
    sort = _sort(options)
    return sort.flag("desc") or not sort.text("selector")


def _row(row: Invoice) -> dict[str, Any]:
    """The fields that contract 3.4 names, and no others."""
    return {
        "id": row.id,
        "key": row.key,
        "code": row.code,
        "type": row.type,
        "status": row.status,
        "amount": wire.number(row.fils),
        "total": wire.number(row.fils),
        "subtotal": wire.number(row.subtotal_fils),
        "customer_Name": row.customer_name,
        "customer_Mobile": row.customer_mobile,
        "customer_Email": row.customer_email,
        "ref_Number": row.ref_number,
        "currency_Code": row.currency,
        "expiry_Date": wire.date_text(row.expires_at),
        "fees": 0,
        "payment_Date": wire.date_text(row.paid_at),
        "createDate": wire.date_text(row.created_at),
    }
