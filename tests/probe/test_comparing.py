"""One reply beside the table, without a call."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from django_sadadpay.gateway.endpoints import Endpoint
from django_sadadpay.gateway.envelope import Reply
from django_sadadpay.gateway.fields import Field, listed, rows
from django_sadadpay.probe.comparing import SUCCESS, Expected, Place, compare, kind_of
from django_sadadpay.probe.report import Finding

TABLE = (
    *rows("doc", "id=id:integer name_en=nameEn", required=True),
    *rows("vendor", "price=price:kwd count=count:integer open=isOpen:flag made=createDate:moment"),
    listed("lines", "lines", "observed", rows("observed", "sku=sku", required=True)),
    *rows("assumed", "anything=anything:any"),
)
GOOD: dict[str, Any] = {
    "id": 7,
    "nameEn": "Cake",
    "price": Decimal("1.250"),
    "count": 3,
    "isOpen": False,
    "createDate": "11/22/2026 20:30:00",
    "lines": [{"sku": "a"}],
    "anything": None,
}


def endpoint(reply: tuple[Field, ...] = TABLE, name: str = "Cake/getbyid") -> Endpoint:
    fields = rows("assumed", "name_en=nameEn", required=True)
    return Endpoint("Cakes", name, "GET", fields=fields, reply=reply)


def found(
    response: Any, *, expected: Expected = SUCCESS, reply: tuple[Field, ...] = TABLE, **changes: Any
) -> list[Finding]:
    rows = changes.pop("rows", False)
    answer = {"status": 200, "readable": True, "is_valid": True, "response": response, **changes}
    return list(compare(Place(endpoint(reply), "a step", "shop"), Reply(**answer), expected, rows=rows))


def brief(findings: list[Finding]) -> list[tuple[str, str, str, str]]:
    return [(one.level, one.kind, one.field, one.came) for one in findings]


def test_a_reply_as_the_table_says_gives_nothing() -> None:
    assert found(GOOD) == []
    assert found({**GOOD, "price": 1, "lines": []}) == []


@pytest.mark.parametrize(
    ("field", "value", "came"),
    [
        ("id", "7", "a text"),
        ("id", None, "null"),
        ("id", Decimal("7.5"), "a number"),
        ("id", True, "true or false"),
        ("nameEn", 7, "a whole number"),
        ("nameEn", {}, "an object"),
        ("price", "1.250", "a text"),
        ("isOpen", "false", "a text"),
        ("isOpen", 0, "a whole number"),
        ("createDate", 20261122, "a whole number"),
        ("lines", {"sku": "a"}, "an object"),
    ],
)
def test_another_type_is_a_difference(field: str, value: Any, came: str) -> None:
    assert brief(found({**GOOD, field: value})) == [("difference", "retyped", field, came)]


def test_null_is_a_value_like_any_other_where_a_field_may_be_missing() -> None:
    assert found({**GOOD, "price": None, "lines": None, "createDate": None}) == []


@pytest.mark.parametrize("text", ["", "  ", "2026-11-22T20:30:00Z", "11/22/2026"])
def test_a_time_that_we_can_read_is_no_difference(text: str) -> None:
    assert found({**GOOD, "createDate": text}) == []


def test_a_time_that_we_cannot_read_is_one() -> None:
    assert brief(found({**GOOD, "createDate": "22.11.2026"})) == [
        ("difference", "format", "createDate", "another form")
    ]


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


def test_a_required_field_that_is_missing_is_a_difference_with_the_line_that_mends_it() -> None:
    (finding,) = found(without("nameEn"))
    assert (finding.level, finding.kind, finding.evidence) == ("difference", "missing", "doc")
    line = "ACCOUNTS['shop']['FIELDS'] = {'Cake/getbyid': {'reply.name_en': 'its name'}}"
    assert line in finding.advice


def test_another_that_is_missing_is_a_note() -> None:
    assert brief(found(without("price"))) == [("note", "missing", "price", "not there")]


def test_the_one_new_field_may_be_the_missing_one_under_another_name() -> None:
    missing, extra = found({**without("nameEn"), "title": "Cake"})
    assert "{'reply.name_en': 'title'}" in missing.advice
    assert (extra.level, extra.kind, extra.field) == ("note", "extra", "title")


def test_of_several_new_fields_all_are_named() -> None:
    missing, *_ = found({**without("nameEn"), "title": "Cake", "label": "Cake"})
    assert "'its name'" in missing.advice
    assert missing.advice.endswith("new here: `title`, `label`")


def test_case_and_underscores_are_a_spelling_and_the_request_may_need_it_too() -> None:
    (finding,) = found({**without("nameEn"), "name_En": "Cake"})
    assert (finding.kind, finding.field, finding.came) == ("spelling", "nameEn", "`name_En`")
    assert "{'Cake/insert': {'name_en': 'name_En'}}" in finding.advice


def test_a_new_field_whose_name_looks_like_no_name_is_not_repeated() -> None:
    assert brief(found({**GOOD, "Ali +965 5551": 1})) == [("note", "extra", "(unusual name)", "it is there")]


def test_rows_are_compared_each_and_said_once() -> None:
    odd = {**GOOD, "id": "7"}
    assert brief(found([GOOD, odd, odd], rows=True)) == [("difference", "retyped", "id", "a text")]
    assert brief(found({**GOOD, "lines": [{"sku": 1}, {}]})) == [
        ("difference", "retyped", "lines[].sku", "a whole number"),
        ("difference", "missing", "lines[].sku", "not there"),
    ]


def test_what_is_no_list_and_what_is_no_object() -> None:
    assert brief(found(GOOD, rows=True)) == [("difference", "shape", "", "an object")]
    assert brief(found([GOOD, "x"], rows=True)) == [("difference", "shape", "", "a text")]
    assert brief(found("7")) == [("difference", "shape", "", "a text")]


def test_an_answer_of_which_nothing_is_sure_may_have_any_form() -> None:
    assert brief(found(7, reply=rows("assumed", "id=id:any"))) == [("note", "shape", "", "a whole number")]
    assert brief(found(True, reply=())) == [("note", "shape", "", "true")]
    assert brief(found(None, reply=())) == [("note", "shape", "", "null")]
    assert brief(found({"ok": 1}, reply=())) == [("note", "shape", "", "an object with `ok`")]
    assert brief(found({}, reply=())) == [("note", "shape", "", "an object with no fields")]


def test_a_body_that_is_no_envelope() -> None:
    assert brief(found(None, readable=False)) == [("difference", "no_envelope", "", "a body that is none")]


def test_a_refusal_where_success_was_expected() -> None:
    assert brief(found(None, is_valid=False, error_key="Nope")) == [
        ("difference", "refused", "", "refused: `Nope`")
    ]
    assert brief(found(None, is_valid=False)) == [("difference", "refused", "", "refused: no error key")]


def test_another_status_of_a_success() -> None:
    assert brief(found(GOOD, status=201)) == [("difference", "http_status", "", "HTTP 201")]


def test_turned_away_is_not_taken_for_another_answer() -> None:
    for expected in (SUCCESS, Expected(("NameRequired",))):
        assert brief(found(None, readable=False, status=429, expected=expected)) == [
            ("difference", "turned_away", "", "HTTP 429 each time")
        ]


@pytest.mark.parametrize("name", ["id", "key", "url", "status"])
def test_a_blank_text_where_something_is_named_is_a_difference(name: str) -> None:
    reply = rows("doc", f"{name}={name} comment=comment", required=True)
    assert brief(found({name: " ", "comment": ""}, reply=reply)) == [
        ("difference", "blank", name, "a blank one")
    ]
    assert found({name: "7", "comment": ""}, reply=reply) == []


NAME = Expected(("NameEnRequired", "NameRequired"))


def test_a_refusal_as_expected() -> None:
    for key in NAME.keys:
        assert found(None, expected=NAME, is_valid=False, error_key=key) == []
    assert (
        found({"$": ["no"]}, expected=Expected(("X",), 400), is_valid=False, error_key="X", status=400) == []
    )


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({}, ("difference", "accepted", "", "success")),
        ({"is_valid": False, "error_key": "Other"}, ("difference", "error_key", "", "`Other`")),
        ({"is_valid": False}, ("difference", "error_key", "", "no error key")),
        (
            {"is_valid": False, "error_key": "NameRequired", "status": 422},
            ("difference", "http_status", "", "HTTP 422"),
        ),
    ],
)
def test_another_end_than_the_refusal_expected(
    changes: dict[str, Any], finding: tuple[str, str, str, str]
) -> None:
    assert brief(found(None, expected=NAME, **changes)) == [finding]


def test_is_valid_beside_an_error_key_is_a_note() -> None:
    expected = Expected(("IdRequired",), is_valid=True)
    assert found(None, expected=expected, is_valid=True, error_key="IdRequired") == []
    assert brief(found(None, expected=expected, is_valid=False, error_key="IdRequired")) == [
        ("note", "is_valid", "", "isValid false")
    ]


def test_kinds_of_json() -> None:
    values: list[Any] = [None, True, 1, Decimal("1.5"), "x", [], {}]
    names = ["null", "true or false", "whole number", "number", "text", "list", "object"]
    assert [kind_of(value) for value in values] == names
