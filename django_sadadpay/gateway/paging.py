"""Rows of a getall. Its paging is not documented (contract 3.4): used where it works, never relied on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django_sadadpay.gateway.coerce import fold, id_text, number
from django_sadadpay.gateway.errors import ReplyTooLarge, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from django_sadadpay.gateway.endpoints import Endpoint

TAKE = 100
#: Rows. A list that goes on after that is taken for one that never ends.
FARTHEST = 5_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, by Sadad's names.

    :ivar skip: how many rows come before it.
    :ivar total: how many rows Sadad says there are, if it says so.
    :ivar is_last: nothing comes after it.
    """

    rows: list[dict[str, Any]] = field(repr=False)
    skip: int
    total: int | None
    is_last: bool


def options(skip: int) -> dict[str, Any]:
    """``listOptions`` as Sadad's relative has it: newest first."""
    return {"loadingAll": False, "skip": skip, "take": TAKE, "sort": {"selector": "Id", "desc": True}}


def rows(
    endpoint: Endpoint,
    fetch: Callable[[int, int], tuple[Any, int]],
    *,
    max_pages: int,
    max_bytes: int,
) -> Iterator[Mapping[str, Any]]:
    """Each row once, page after page, until a page is short, brings nothing new, or a cap is reached.

    :param fetch: (skip, bytes allowed) → (decoded ``response``, bytes used).
    :raises SadadError: as the call. Of later pages, one over the cap on bytes only ends the list.
    """
    seen: set[str] = set()
    for count in range(max_pages):
        try:
            response, used = fetch(count * TAKE, max_bytes)
        except ReplyTooLarge:
            if count == 0:
                raise
            return
        found = page(endpoint, response)
        new = [row for row in found if _mark(row) not in seen]
        yield from _once(new, seen)
        max_bytes -= used
        # A server that ignores paging sends everything each time: more rows than asked, or the same.
        if not new or len(found) != TAKE or max_bytes <= 0:
            return


def pages(
    endpoint: Endpoint, fetch: Callable[[int, int], tuple[Any, int]], *, skip: int, max_bytes: int
) -> Iterator[Page]:
    """The list page by page, however long: of what was read, one number a page is kept, to see a page again.

    A row may come twice or be left out where others are made or deleted meanwhile.

    :param skip: where to begin.
    :param max_bytes: of one page; where paging is ignored, that is the whole list.
    :raises SadadError: as the call.
    """
    seen: set[int] = set()
    while True:
        found = page(endpoint, fetch(skip, max_bytes)[0])
        total = next((_total(row) for row in found[:1]), None)
        mark = hash(frozenset(_mark(row) for row in found))
        # As in rows(): a page of another size is the last or the whole list; the same again brings nothing.
        # Rows without ids that change with each answer would never end.
        is_last = len(found) != TAKE or mark in seen or skip >= FARTHEST
        yield Page(found, skip, total, is_last)
        if is_last:
            return
        seen.add(mark)
        skip += TAKE


def _total(row: Mapping[str, Any]) -> int | None:
    """What paging adds to each row (contract 3.4)."""
    said = next((number(value) for key, value in row.items() if fold(key) == "totalcount"), None)
    return None if said is None or said != said.to_integral_value() else int(said)


def _once(new: Sequence[Mapping[str, Any]], seen: set[str]) -> Iterator[Mapping[str, Any]]:
    for row in new:
        mark = _mark(row)
        if mark not in seen:
            seen.add(mark)
            yield row


def page(endpoint: Endpoint, response: Any) -> list[dict[str, Any]]:
    """The rows of one answer; what is no object is left out. :raises Unavailable: it is no list."""
    if response is None:
        return []
    if not isinstance(response, list):
        raise Unavailable(endpoint.name, "the answer is no list")
    return [row for row in response if isinstance(row, dict)]


def _mark(row: Mapping[str, Any]) -> str:
    named = next((id_text(value) for key, value in row.items() if fold(key) == "id"), "")
    return named or repr(sorted(row.items(), key=lambda item: item[0]))
