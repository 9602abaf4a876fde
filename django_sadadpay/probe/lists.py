"""Whether a getall finds, filters and pages as assumed (contract 3.4). Pure: rows in, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django_sadadpay.gateway.coerce import fold, id_text
from django_sadadpay.gateway.records import ObjectRecord
from django_sadadpay.probe.looking import carries

if TYPE_CHECKING:
    from django_sadadpay.probe.comparing import Place
    from django_sadadpay.probe.report import Finding

    Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One of our own objects."""

    id: str
    mark: str


def has(place: Place, rows: Rows, wanted: Wanted) -> bool:
    """Whether the object is among the rows, by its id or by the text that it carries."""
    table = place.endpoint.reply
    return any(
        ObjectRecord.from_wire(row, table).id == wanted.id or carries(row, wanted.mark) for row in rows
    )


def shown(place: Place, rows: Rows, ours: Sequence[Wanted]) -> Iterator[Finding]:
    """What was just made stands in the list."""
    if not all(has(place, rows, wanted) for wanted in ours):
        advice = "report it: an insert whose answer is lost could not be found again"
        yield place.finding("list", "what was just made", "it is not in the list", advice=advice)


def filtered(
    place: Place, name: str, rows: Rows, finds: Wanted | None, leaves: Wanted | None
) -> Iterator[Finding]:
    """The filter finds the one and leaves out the other."""
    field = next(field for field in place.endpoint.fields if field.name == name)
    rest = f"if it is spelt otherwise, {place.setting(name, 'its name')}"
    if leaves is not None and has(place, rows, leaves):
        advice = f"rows are compared again on our side; {rest}"
        yield place.about(field, "", "filter", "the filter is obeyed", "it is ignored", advice=advice)
    elif finds is not None and not has(place, rows, finds):
        advice = f"do not use it; {rest}"
        yield place.about(field, "", "filter", "the filter finds it", "it does not", advice=advice)


def paged(place: Place, first: Rows, second: Rows, past_end: Rows) -> Iterator[Finding]:
    """Pages of one row each: the first, the second, and one far behind the last row."""
    advice = "nothing: lists are read until nothing new comes"
    if len(first) != 1 or len(second) != 1 or past_end:
        wanted, came = "`take` and `skip` are obeyed", "they are not"
        yield place.finding("paging", wanted, came, field="listOptions", advice=advice)
        return
    ids = [id_text(_get(rows[0], "id")) for rows in (first, second)]
    if ids[0] == ids[1]:
        wanted, came = "another row on the next page", "the same"
        yield place.finding("paging", wanted, came, field="listOptions", advice=advice)
    if not isinstance(_get(first[0], "totalCount"), int):
        yield place.finding("paging", "`totalCount` in each row", "none", field="totalCount", level="note")


def _get(row: Mapping[str, Any], name: str) -> Any:
    return next((value for key, value in row.items() if fold(str(key)) == fold(name)), None)
