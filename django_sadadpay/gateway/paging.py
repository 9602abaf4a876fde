"""Rows of a getall. Its paging is not documented (contract 3.4): used where it works, never relied on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django_sadadpay.gateway.coerce import id_text
from django_sadadpay.gateway.errors import ReplyTooLarge, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from django_sadadpay.gateway.endpoints import Endpoint

TAKE = 100


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
    for number in range(max_pages):
        try:
            response, used = fetch(number * TAKE, max_bytes)
        except ReplyTooLarge:
            if number == 0:
                raise
            return
        found = page(endpoint, response)
        new = [row for row in found if _mark(row) not in seen]
        yield from _once(new, seen)
        max_bytes -= used
        # A server that ignores paging sends everything each time: more rows than asked, or the same.
        if not new or len(found) != TAKE or max_bytes <= 0:
            return


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
    return id_text(row.get("id")) or repr(sorted(row.items(), key=lambda item: item[0]))
