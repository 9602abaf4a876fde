"""Lists, echoes and looks, without a call."""

from __future__ import annotations

from typing import Any

import pytest

from django_sadadpay.gateway.endpoints import ENDPOINTS, Endpoint
from django_sadadpay.gateway.envelope import Reply
from django_sadadpay.gateway.fields import rows
from django_sadadpay.probe import lists
from django_sadadpay.probe.comparing import Place
from django_sadadpay.probe.echoing import echoed
from django_sadadpay.probe.lists import Wanted
from django_sadadpay.probe.looking import carries, listed
from django_sadadpay.probe.report import Finding

PLACE = Place(ENDPOINTS["Product/getall"], "a step")
OURS, OTHER = Wanted("7", "probe-x-001"), Wanted("8", "probe-x-002")


def came(findings: Any) -> list[tuple[str, str, str]]:
    return [(found.kind, found.field, found.came) for found in findings]


@pytest.mark.parametrize("row", [{"id": 7}, {"id": "7"}, {"name": "probe-x-001 cake"}])
def test_an_object_is_known_by_its_id_or_by_its_name(row: dict[str, Any]) -> None:
    assert list(lists.shown(PLACE, [row, {"id": 8}], [OURS])) == []


def test_what_was_just_made_must_be_in_the_list() -> None:
    assert came(lists.shown(PLACE, [{"id": 7}], [OURS, OTHER])) == [("list", "", "it is not in the list")]


@pytest.mark.parametrize(
    ("found", "finding"),
    [
        ([{"id": 7}], []),
        ([{"id": 7}, {"id": 8}], [("filter", "name", "it is ignored")]),
        ([], [("filter", "name", "it does not")]),
        ([{"id": 8}], [("filter", "name", "it is ignored")]),
    ],
)
def test_a_filter_finds_the_one_and_leaves_out_the_other(found: Any, finding: Any) -> None:
    assert came(lists.filtered(PLACE, "name", found, OURS, OTHER)) == finding


def test_a_filter_that_should_find_nothing_of_ours() -> None:
    assert came(lists.filtered(PLACE, "name", [], None, OTHER)) == []


A, B = {"id": 7, "totalCount": 2}, {"id": 8, "totalCount": 2}


@pytest.mark.parametrize(
    ("pages", "finding"),
    [
        (([A], [B], []), []),
        (([A, B], [B], []), [("paging", "listOptions", "they are not")]),
        (([A], [B], [A, B]), [("paging", "listOptions", "they are not")]),
        (([A], [A], []), [("paging", "listOptions", "the same")]),
        (([{"id": 7}], [B], []), [("paging", "totalCount", "none")]),
    ],
)
def test_pages(pages: Any, finding: Any) -> None:
    assert came(lists.paged(PLACE, *pages)) == finding


def echo(sent: dict[str, Any], back: dict[str, Any]) -> list[Finding]:
    reply = rows("assumed", "name_en=nameEn price=price:kwd open=isOpen:flag count=count:integer")
    row = Endpoint("Cakes", "Cake/getbyid", "GET", reply=reply)
    return list(echoed(Place(row, "a step"), ("name_en", "price", "open", "count"), sent, back))


SENT = {"nameEn": "Cake", "price": "1.250", "isOpen": False, "count": 3}


@pytest.mark.parametrize(
    "back",
    [
        SENT,
        {"name_En": " Cake ", "price": 1.25, "count": "3"},
        {"nameEn": "Cake", "price": "1.2500000001"},
        {},
        {"unknown": 1},
    ],
)
def test_what_comes_back_in_any_form_is_what_was_sent(back: dict[str, Any]) -> None:
    import json
    from decimal import Decimal

    assert echo(SENT, json.loads(json.dumps(back), parse_float=Decimal)) == []


@pytest.mark.parametrize(
    "back", [{"nameEn": ""}, {"nameEn": None}, {"price": 0}, {"price": None}, {"isOpen": True}, {"count": 4}]
)
def test_what_does_not_come_back_may_be_spelt_otherwise(back: dict[str, Any]) -> None:
    (finding,) = echo(SENT, back)
    assert (finding.kind, finding.came) == ("value", "another value")
    assert "{'Cake/insert': {'" in finding.advice


def test_rows_of_a_list() -> None:
    good = Reply(200, True, True)
    assert listed(None) is None
    assert listed(Reply(502)) is None
    assert listed(good) == []
    assert listed(Reply(200, True, True, "EmptyResult")) == []
    assert listed(Reply(200, True, False, "Nope")) is None
    assert listed(Reply(200, True, True, "", {"id": 7})) is None
    assert listed(Reply(200, True, True, "", [{"id": 7}, 8])) == [{"id": 7}]


def test_a_text_is_found_wherever_it_stands() -> None:
    assert carries({"a": [{"b": "for probe-x-001"}]}, "probe-x-001")
    assert not carries({"a": [{"b": 1}, None]}, "probe-x-001")
    assert not carries(None, "probe-x-001")
