"""A list read to its end, page by page, by who cannot hold it in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from django_sadadpay.gateway import paging
from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.errors import ReplyTooLarge
from django_sadadpay.gateway.paging import TAKE
from tests.gateway import server as s
from tests.gateway.server import Server

LIST = "Customer/getall"


def rows_of(total: int, pad: str = "") -> list[dict[str, Any]]:
    return [{"id": number, "name": pad, "totalCount": total} for number in range(total, 0, -1)]


def listing(server: Server, part: Callable[[int], list[dict[str, Any]]]) -> None:
    def answer(connection: Any) -> bool:
        options = json.loads(server.calls[-1].query["listOptions"])
        return s.ok(part(options["skip"]))(connection)

    server.on(LIST, answer)


@pytest.mark.parametrize("total", [0, 1, TAKE - 1, TAKE, TAKE + 1, 3 * TAKE + 7])
def test_each_page_says_where_it_stands_and_the_last_says_so(
    server: Server, client: SadadClient, total: int
) -> None:
    everything = rows_of(total)
    listing(server, lambda skip: everything[skip : skip + TAKE])
    pages = list(client.customers.pages())
    assert [row["id"] for page in pages for row in page.rows] == list(range(total, 0, -1))
    assert [page.skip for page in pages] == [TAKE * number for number in range(len(pages))]
    assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert {page.total for page in pages if page.rows} <= {total}


def test_a_walk_goes_on_where_it_was_told_to(server: Server, client: SadadClient) -> None:
    everything = rows_of(2 * TAKE + 5)
    listing(server, lambda skip: everything[skip : skip + TAKE])
    (page,) = client.customers.pages(skip=2 * TAKE)
    assert [row["id"] for row in page.rows] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("total", [TAKE, 3 * TAKE])
def test_a_server_that_ignores_paging_is_read_once(server: Server, client: SadadClient, total: int) -> None:
    everything = rows_of(total)
    listing(server, lambda skip: everything)
    pages = list(client.customers.pages())
    assert pages[0].rows == everything
    assert len(pages) == (2 if total == TAKE else 1)  # a full page may have another after it
    assert pages[-1].is_last


def test_a_total_that_is_no_number_is_none(server: Server, client: SadadClient) -> None:
    listing(server, lambda skip: [{"id": 1, "totalCount": "many"}, {"id": 2}])
    (page,) = client.customers.pages()
    assert page.total is None


def test_a_page_over_the_cap_is_an_error(server: Server, client: SadadClient) -> None:
    listing(server, lambda skip: rows_of(3, pad="x" * 500))
    with pytest.raises(ReplyTooLarge):
        list(client.customers.pages(max_bytes=600))


def test_invoices_have_pages_too(server: Server, client: SadadClient) -> None:
    server.on("Invoice/getall", s.ok([{"id": 3}]))
    (page,) = client.invoices.pages(status="Paid")
    assert page.rows == [{"id": 3}]
    assert server.to("Invoice/getall")[0].query["status"] == "Paid"


def test_a_list_whose_pages_come_round_again_ends(server: Server, client: SadadClient) -> None:
    first, second = ([{"Id": start + n, "seen": None} for n in range(TAKE)] for start in (1, 1001))
    server.on(
        "Customer/getall",
        *(s.ok([{**row, "seen": n} for row in rows]) for n, rows in enumerate((first, second, first))),
    )
    assert [page.skip for page in client.customers.pages()] == [0, TAKE, 2 * TAKE]
    assert len(server.calls) == 3


def test_a_list_that_never_comes_round_ends_too(
    server: Server, client: SadadClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "FARTHEST", 3 * TAKE)
    answers = ([{"at": f"{page}:{n}"} for n in range(TAKE)] for page in range(5))
    server.on("Customer/getall", *(s.ok(rows) for rows in answers))
    assert len(list(client.customers.pages())) == 4
