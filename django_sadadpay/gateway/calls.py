"""What the groups of calls share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django_sadadpay.gateway import outgoing, paging
from django_sadadpay.gateway.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from django_sadadpay.gateway.client import SadadClient
    from django_sadadpay.gateway.endpoints import Endpoint

MAX_PAGES = 5
MAX_BYTES = 2 * 1024 * 1024
#: Of one page, for who reads a list to its end; where paging is ignored, that is the whole list.
PAGE_BYTES = 64 * 1024 * 1024


class Group:
    """Calls of one client, with the account's own spellings."""

    def __init__(self, client: SadadClient) -> None:
        self._client = client

    def _row(self, name: str) -> Endpoint:
        return self._client.endpoints[name]

    def _ask(self, name: str, values: Mapping[str, Any], *, deadline: float | None) -> Any:
        """Call with a query."""
        return self._client.call(name, query=outgoing.to_wire(self._row(name), values), deadline=deadline)

    def _send(self, name: str, values: Mapping[str, Any], *, deadline: float | None) -> Any:
        """Call with one object as the body."""
        return self._client.call(name, body=outgoing.to_wire(self._row(name), values), deadline=deadline)

    def _rows(
        self, name: str, filters: Mapping[str, Any], max_pages: int, max_bytes: int
    ) -> Iterator[Mapping[str, Any]]:
        fetch = self._fetch(name, filters)
        return paging.rows(self._row(name), fetch, max_pages=max_pages, max_bytes=max_bytes)

    def _pages(
        self, name: str, filters: Mapping[str, Any], skip: int, max_bytes: int
    ) -> Iterator[paging.Page]:
        return paging.pages(self._row(name), self._fetch(name, filters), skip=skip, max_bytes=max_bytes)

    def _fetch(self, name: str, filters: Mapping[str, Any]) -> Callable[[int, int], tuple[Any, int]]:
        endpoint = self._row(name)
        query = outgoing.to_wire(endpoint, filters)
        options = next(
            (field.wire for field in endpoint.fields if field.name == "list_options"), "listOptions"
        )

        def fetch(skip: int, allowed: int) -> tuple[Any, int]:
            return self._client.call_sized(
                name, query={**query, options: paging.options(skip)}, max_bytes=allowed
            )

        return fetch


def is_id(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= 20


def named(endpoint: str, value: str | int, field: str = "id") -> str:
    """An id or key, both made of digits (contract 3.2).

    :raises InvalidRequest: anything else; it would name nothing, or something else.
    """
    found = str(value).strip()
    if not is_id(found):
        raise InvalidRequest(endpoint, field, "is not a number")
    return found
