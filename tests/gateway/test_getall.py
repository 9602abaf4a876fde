"""getall against servers that page, that do not, and that never end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.gateway.errors import ReplyTooLarge, Unavailable
from django_sadadpay.gateway.paging import TAKE
from tests.gateway import server as s
from tests.gateway.server import Server

LIST = "Invoice/getall"


def listing(server: Server, total: int, *, pages: bool = True, pad: str = "") -> None:
    """Have ``total`` invoices, newest first."""
    everything = [{"id": number, "status": "Unpaid", "comment": pad} for number in range(total, 0, -1)]

    def answer(connection: Any) -> bool:
        options = json.loads(server.calls[-1].query["listOptions"])
        first = options["skip"] if pages else 0
        return s.ok(everything[first : first + options["take"]] if pages else everything)(connection)

    server.on(LIST, answer)


def ids(client: SadadClient, **options: Any) -> list[int]:
    return [int(record.id) for record in client.invoices.getall(**options)]


@pytest.mark.parametrize("total", [0, 1, TAKE - 1, TAKE, TAKE + 1, 2 * TAKE, 3 * TAKE + 7])
@pytest.mark.parametrize("pages", [True, False])
def test_every_invoice_comes_once(server: Server, client: SadadClient, total: int, pages: bool) -> None:
    listing(server, total, pages=pages)
    assert ids(client) == list(range(total, 0, -1))
    full = total // TAKE if pages else int(total == TAKE)  # after a full page, there may be another
    assert len(server.to(LIST)) == full + 1


def test_filters_go_by_sadad_s_names(server: Server, client: SadadClient) -> None:
    listing(server, 1)
    ids(client, ref_number="A-1", status="Paid", their_filter=3)
    query = server.calls[0].query
    assert json.loads(query.pop("listOptions")) == {
        "loadingAll": False,
        "skip": 0,
        "take": TAKE,
        "sort": {"selector": "Id", "desc": True},
    }
    assert query == {"refNumber": "A-1", "status": "Paid", "their_filter": "3"}


def test_pages_are_capped(server: Server, client: SadadClient) -> None:
    listing(server, 20 * TAKE)
    assert len(ids(client, max_pages=3)) == 3 * TAKE
    assert len(server.to(LIST)) == 3


def test_bytes_are_capped_over_all_pages(server: Server, client: SadadClient) -> None:
    listing(server, 20 * TAKE, pad="x" * 900)  # about 95 KB a page
    assert len(ids(client, max_bytes=250_000)) == 2 * TAKE
    with pytest.raises(ReplyTooLarge):
        ids(client, max_bytes=50_000)


def test_bytes_used_up_exactly_end_the_list(server: Server, client: SadadClient) -> None:
    rows = [{"id": number} for number in range(1, TAKE + 1)]
    body = json.dumps({"isValid": True, "errorKey": None, "response": rows}).encode()
    server.on(LIST, s.status(200, body))
    assert len(ids(client, max_bytes=len(body))) == TAKE
    assert len(server.to(LIST)) == 1


def test_rows_that_move_to_the_next_page_meanwhile_come_once(server: Server, client: SadadClient) -> None:
    first = [{"id": number} for number in range(200, 100, -1)]
    second = [{"id": number} for number in range(101, 90, -1)]
    server.on(LIST, s.ok(first), s.ok(second))
    assert ids(client) == list(range(200, 90, -1))


def test_a_row_twice_on_a_page_comes_once(server: Server, client: SadadClient) -> None:
    server.on(LIST, s.ok([{"id": 1}, {"id": "1"}, {"code": "x"}, {"code": "x"}, {"code": "y"}, 5, None]))
    assert [record.raw.get("code", record.id) for record in client.invoices.getall()] == ["1", "x", "y"]


@pytest.mark.parametrize(
    "answer", [s.ok(None), s.ok([]), s.error("EmptyResult"), s.envelope(None, "EmptyResult", valid=True)]
)
def test_no_rows(server: Server, client: SadadClient, answer: s.Answer) -> None:
    server.on(LIST, answer)
    assert ids(client) == []
    assert len(server.to(LIST)) == 1


def test_no_list(server: Server, client: SadadClient) -> None:
    server.on(LIST, s.ok({"rows": []}))
    with pytest.raises(Unavailable):
        ids(client)
